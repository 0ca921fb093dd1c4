"""README.txt of a bundle: what it is and how to check it, with this software and with stock tools.

In Chinese and English, whatever language the depositor's terminal speaks: it is read elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from mizheng.cli.bundling.steps import steps
from mizheng.cli.terminal.text import printable
from mizheng.verifier.bundlewriting import Evidence
from mizheng.verifier.manifest import OpenedRecord
from mizheng.verifier.record import Record
from mizheng.verifier.statement import parse_envelope

# Whoever opens thousands of records has the rest of the list in records/.
_MOST_NAMES = 40

_TEXT = """\
密证证据包
==========

本压缩包供核验两点：所披露的内容在某一时间之前是否已由存证人固定，此后是否未被更改。
能否成立，以核验结果为准，本说明不是结论。未披露的内容不在包内，也无法从中推知。

承诺值 {commitment}
声明信封 SHA-256 {envelope}
披露的记录 {count} 条：

{names}

一、用密证软件核验（不需要联网）

    mizheng verify 本文件.zip [原件…] --trust trust.toml

trust.toml 是信任文件，须由公证处、法院或存证服务经独立渠道另行提供，不得取自本包。
没有信任文件，结论只能是“无法确定”。

二、用浏览器核验（不需要安装，不需要联网）

用浏览器打开 verify.html，把本文件.zip、原件和 trust.toml 拖入页面。文件只在本机读取，不上传。
包内的 verify.html 由制作本包的人放入，只为方便查看。正式核验请用本单位自备的同一页面；
核验结果中的“所附核验页面”一项说明包内这一份是否为已公布的版本。

三、用通用工具核验（bash，OpenSSL 3.0 及以上，sha256sum、base64、sed、od、cut）

解压后进入该文件夹，把 trust.toml 也放在其中，依次执行。每次比对显示 OK 或 WRONG。
以下步骤覆盖：原件摘要、记录、承诺值、声明的签名、清单、日志、时间戳。

0. 准备工具；k 为存证人密钥的标识，m 为承诺值（只需一次）：

{tools}

1. 取出并查看所披露的记录：

{records}

2. {originals_zh}

{originals}

3. 由每条记录算出承诺值：

{commitment_steps}

4. 声明含有该承诺值，并由存证人的密钥签名（应显示 Verified Successfully）：

{statement}

5. 存证人签名的清单，列出他放入本包的各项及其 SHA-256（每项应显示 OK）：

{list}

6. 由声明信封算出日志条目，再算到日志根：

{log}

7. {token_zh}

{token}

其余步骤（日志签名、区块、观察人、密钥登记）见密证规范 docs/spec。


Mizheng evidence bundle
=======================

This ZIP lets anyone check whether the depositor had fixed what is opened here before a certain time,
and whether it is unchanged since. The result of checking says so or not; this text is no verdict.
What is not opened is not in the ZIP and cannot be guessed from it.

commitment {commitment}
SHA-256 of the statement's envelope {envelope}
opened records: {count}, listed above

A. With Mizheng (no network needed)

    mizheng verify THIS.zip [ORIGINAL…] --trust trust.toml

trust.toml, the trust file, has to reach you by another channel: from a notary office, a court or the
notary; never from this ZIP. Without it the verdict can only be "undetermined".

B. In a browser (nothing to install, no network needed)

Open verify.html and drop THIS.zip, the originals and trust.toml on the page. They are read on your machine
and sent nowhere. The copy in this ZIP was put there by whoever made the ZIP, for convenience: an examiner
uses the page of his own office. The check "page.digest" says whether this copy is a published one.

C. With stock tools (bash, OpenSSL 3.0 or later, sha256sum, base64, sed, od, cut)

Unpack the ZIP, go to that folder, put trust.toml there too, and run the commands of part 三 above in
their order. Each comparison says OK or WRONG.

0. tools, needed once; k is the depositor's key by its keyid, m the commitment
1. the opened records, taken out and shown
2. {originals_en}
3. the commitment, computed from each record
4. the statement holds that commitment, and the depositor's key signed it ("Verified Successfully")
5. the list, signed by the depositor, of what he put into this ZIP, with the SHA-256 of each
6. the log's entry, computed from the statement's envelope, and from it the log's root
7. {token_en}

The remaining steps (the log's signature, blocks, observers, enrolment of the key) are in the
specification, docs/spec.
"""


def bundle_readme(
    envelope: bytes,
    opened: Sequence[OpenedRecord],
    records: Sequence[Record],
    originals: Collection[int],
    evidence: Evidence,
) -> str:
    """The text for a bundle of these records and this evidence.

    `records` are the parsed `opened`; `originals` the places of those whose files go along.
    """
    parsed, statement = parse_envelope(envelope)
    commands = steps(statement, opened, originals, evidence)
    has_token = bool(evidence.timestamps)
    values = {
        "commitment": statement.commitment.hex(),
        "envelope": parsed.sha256,
        "count": len(opened),
        "names": "\n".join(_names(records)) or "  -",
        "originals_zh": (
            "计算包内原件的摘要，与记录比对："
            if originals
            else "计算手中原件的摘要（FILE 换成文件名），与第 1 步显示的 sha256、sm3 比对："
        ),
        "originals_en": (
            "the digests of the originals in this ZIP, held against the records"
            if originals
            else "the digests of the file at hand (its name for FILE), to hold against those of step 1"
        ),
        "token_zh": (
            "时间戳：盖在该日志根的检查点上，由信任文件中的机构签发（应显示 Verification: OK）："
            if has_token
            else "时间戳：制作本包时尚无时间戳。"
        ),
        "token_en": (
            "the time stamp is over the checkpoint with that root, by an authority of the trust file\n"
            '   (it reads "Verification: OK")'
            if has_token
            else "time stamp: there was none when this ZIP was made"
        ),
        "commitment_steps": commands["commitment"],
        **{name: text for name, text in commands.items() if name != "commitment"},
    }
    return _TEXT.format(**values)


def _names(records: Sequence[Record]) -> list[str]:
    lines = [
        f"  {place:04} {printable(record.name)}" for place, record in enumerate(records[:_MOST_NAMES], 1)
    ]
    if len(records) > _MOST_NAMES:
        lines.append(f"  … +{len(records) - _MOST_NAMES}: records/")
    return lines
