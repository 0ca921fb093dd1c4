"""The steps of the demo, in the order in which people do them."""

import json
import re
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

from mizheng.verifier.anchor import parse_anchor
from mizheng.verifier.observation import parse_observation

from tests.demo.files import RECIPE, tamper
from tests.demo.network import cut_network
from tests.demo.stage import DemoError, Stage

COMPANY = "示例催化材料（北京）有限公司"
# Well-formed (GB 32100-2015: the last character checks the others), and nobody's.
COMPANY_NUMBER = "91110000MA00DEMA0W"
SEAL = "企业/资料.seal"
BUNDLE = "法院/证据包.zip"
API_KEY = "企业/api-key.txt"
TRUST = "法院/trust.toml"
HANDED_OVER = "法院/三号催化剂配方（绝密）.txt"
REPORT = "法院/核验结果.json"
STATUS = "企业/进度.json"
# What a newcomer opens at the end, out of the bundle and beside it.
PAPER = "法院/技术核验报告.pdf"
PAPERS = {
    "certificate.pdf": "法院/存证证书.pdf",
    "exhibits.pdf": "法院/证据目录.pdf",
    "verify.html": "法院/核验页.html",
}
MISMATCH = "法院/不符的核验结果.txt"
# The observer's node is the notary's here, so it sees a final block at most a second later.
OBSERVED_SECONDS = 20.0
_LISTENING = re.compile(r"http://127\.0\.0\.1:[0-9]+")


@contextmanager
def open_notary(stage: Stage) -> Iterator[None]:
    stage.step(
        "存证服务启动，缺什么建什么：数据目录、数据库、密钥；未配置链时，还有内置链与合约。",
        "The notary starts and makes what is missing: data, keys and, where no chain is configured, its own.",
    )
    with stage.server(
        *("mizheng-notary", "serve", "--port", "0"), output="存证服务.log", ready=_LISTENING
    ) as address:
        stage.export("MIZHENG_NOTARY", address)
        yield


def enrol_company(stage: Stage) -> None:
    stage.step(
        "存证服务登记企业（法定名称、统一社会信用代码），API 密钥只显示一次，交给企业。",
        "The notary registers the company; its API key is shown once and goes to the company.",
    )
    stage.run("mizheng-notary", "org", "add", COMPANY, COMPANY_NUMBER, then=f"| tail -n 1 > {API_KEY}")
    stage.step(
        "企业生成签名密钥，向存证服务登记公钥；私钥不离开本机。",
        "The company makes its signing key and enrols the public part; the private part stays here.",
    )
    init = ("mizheng", "init", "--store", "file", "--operator", "王经办")
    stage.run(*init, then=f"< {API_KEY}")
    stage.run("rm", API_KEY)


def seal_and_deposit(stage: Stage) -> None:
    stage.step(
        "企业在本机封存整个目录：中文名、空文件、大文件、链接。不发送任何内容。",
        "The company seals a folder on its own machine. Nothing is sent.",
    )
    stage.run("mizheng", "seal", "企业/资料", "-o", SEAL)
    stage.step(
        "企业存证：只发送一个承诺值，并自行核对存证服务的回答。重复执行仍是同一笔存证。",
        "The company deposits one commitment and checks the answer. Run twice, it is the same deposit.",
    )
    stage.run("mizheng", "notarize", SEAL)
    stage.run("mizheng", "notarize", SEAL)


def wait_until_final(stage: Stage) -> None:
    stage.step(
        "存证服务在后台上链；企业查看进度：已封存 → 已存证 → 已上链 → 已终局。",
        "The notary anchors in the background: sealed → deposited → anchored → final.",
    )
    stage.run("mizheng", "status", SEAL)
    stage.run("mizheng", "status", SEAL, "--wait", "--timeout", "60")
    stage.step(
        "存证服务签发存证证书；不凭证书上印的查询码，外人只能看到证书存在。",
        "The notary issues a certificate. Without the code printed on it, others see only that it exists.",
    )
    stage.run("mizheng", "status", SEAL, "--json", then=f"> {STATUS}")
    told = (stage.folder / STATUS).read_text("utf-8")
    stage.run("mizheng", "certificate", str(json.loads(told)["certificate"]))


def open_one_file(stage: Stage, *, is_observed: bool) -> None:
    stage.step(
        "发生纠纷：企业只打开一个文件，制作证据包；其余文件的名称和数量都不在其中。",
        "A dispute: the company opens one file. Of the others the bundle holds neither names nor number.",
    )
    stage.run("mizheng", "bundle", SEAL, "--list")
    bundle = ("mizheng", "bundle", SEAL, "--open", f"资料/{RECIPE}", "--for", "示例人民法院", "-o", BUNDLE)
    stage.run(*bundle)
    deadline = time.monotonic() + OBSERVED_SECONDS
    while is_observed and not has_observed_anchor(stage):
        if time.monotonic() > deadline:
            raise DemoError("the observer has not signed the block")
        stage.say(
            "见证节点尚未签署该区块，稍候重做。",
            "The observer has not signed the block yet; once more, later.",
        )
        time.sleep(1)
        stage.run(*bundle, "--force")
    stage.run("cp", f"企业/资料/{RECIPE}", HANDED_OVER)


def has_observed_anchor(stage: Stage) -> bool:
    """Whether the bundle has an observation of the very block that an anchor stands in."""
    with zipfile.ZipFile(stage.folder / BUNDLE) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    anchors = [parse_anchor(data) for name, data in members.items() if name.startswith("anchors/")]
    words = [parse_observation(data)[0] for name, data in members.items() if name.startswith("observations/")]
    anchored, observed = {anchor.block.hash for anchor in anchors}, {word.block.hash for word in words}
    return bool(anchored & observed)


def hand_over_trust(stage: Stage) -> None:
    stage.step(
        "存证服务导出信任文件，经独立渠道（例如盖章的纸质函件）交给法院，绝不随证据包一起。",
        "The trust file reaches the court by a channel of its own, never with the bundle.",
    )
    stage.run("mizheng-notary", "trust", "export", "-o", TRUST)
    stage.run("mizheng", "trust", "show", TRUST)


def check_in_court(stage: Stage, *, is_trial: bool) -> None:
    """The notary is stopped by now and the network cut: what follows rests on three files."""
    offline = cut_network(stage.folder)
    verify = ("mizheng", "verify", BUNDLE)
    stage.step(
        "法院断网核验：先用一个被改动了一个数字的文件，应当不符。",
        "The court checks, network cut. First with a file in which one digit was changed: it must not match.",
    )
    changed = "法院/被改动的配方.txt"
    tamper(stage.folder / HANDED_OVER, stage.folder / changed)
    stage.run(*verify, changed, "--trust", TRUST, expected=1, prefix=offline, then=f"> {MISMATCH}")
    stage.run("grep", "-e", "INVALID", "-e", "original.match", MISMATCH)
    stage.step(
        "再用企业提交的原件：服务已停止，网络已断开。",
        "Then with the file that the company handed over: the notary is stopped, the network is cut.",
    )
    report = stage.run(*verify, HANDED_OVER, "--trust", TRUST, "--report", PAPER, prefix=offline)
    stage.run(*verify, HANDED_OVER, "--trust", TRUST, "--json", prefix=offline, then=f"> {REPORT}")
    summary = json.loads((stage.folder / REPORT).read_text("utf-8"))
    if summary["verdict"] != "valid":
        raise DemoError(f"the verdict is {summary['verdict']}, not valid")
    if ("TRIAL" in report.partition("\n")[0]) != is_trial:
        raise DemoError("the first line of the report does not say whether the chain is for trying")


def tell_files(stage: Stage, seconds: float) -> None:
    with zipfile.ZipFile(stage.folder / BUNDLE) as archive:
        for member, name in PAPERS.items():
            (stage.folder / name).write_bytes(archive.read(member))
    print("\n打开看看（前三个取自证据包） open these (the first three are out of the bundle):")
    for name in (*PAPERS.values(), PAPER):
        print(f"   {stage.folder / name}")
    print(f"\n全部文件都在 all files are in {stage.folder}")
    print(f"结论 valid，用时 {seconds:.0f} 秒。 The verdict is valid; it took {seconds:.0f} s.")
