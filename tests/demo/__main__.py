"""`make demo` and, with a real chain, `make demo-chain`: the main job from end to end on made-up files."""

import argparse
import io
import sys
import time
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from tests.demo import play
from tests.demo.chain import open_chain
from tests.demo.files import make_files
from tests.demo.stage import DemoError, Stage
from tests.support.tools import ToolError, install
from tests.tools.layout import ROOT

# Each of the three people has a folder; names in Chinese, because that is what people call theirs.
SETTINGS = {
    "MIZHENG_DATA_DIR": "存证服务",
    "MIZHENG_HOME": "企业/密钥",
    "MIZHENG_LANG": "zh_CN",
}


def prepare(out: Path) -> Stage:
    """The folder of this run, the company's files in it."""
    folder = out / datetime.now().strftime("%Y%m%d-%H%M%S")
    (folder / "法院").mkdir(parents=True)
    make_files(folder / "企业" / "资料")
    print("密证演示：一家企业、一个存证服务、一个法院；以 $ 开头的行都是真实执行的命令。")
    print("Mizheng demo: a company, a notary, a court; every line that begins with $ was run as it stands.\n")
    print(f"   $ cd {folder}")
    for name, value in SETTINGS.items():
        print(f"   $ export {name}={value}")
    return Stage(folder, SETTINGS)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.demo", description=__doc__)
    parser.add_argument(
        "--chain", action="store_true", help="anvil and an observer instead of the trial chain"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "demo-out", help="where the run's folder is made")
    options = parser.parse_args()
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal that cannot show Chinese shows the codes instead.
        sys.stdout.reconfigure(errors="backslashreplace")
    if options.chain:
        try:
            install()
        except ToolError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
    started = time.monotonic()
    stage = prepare(options.out.resolve())
    try:
        # Whatever happens, what was started is stopped: newest first.
        with ExitStack() as servers:
            if options.chain:
                servers.enter_context(open_chain(stage))
            servers.enter_context(play.open_notary(stage))
            play.enrol_company(stage)
            play.seal_and_deposit(stage)
            play.wait_until_final(stage)
            play.open_one_file(stage, is_observed=options.chain)
            play.hand_over_trust(stage)
        play.check_in_court(stage, is_trial=not options.chain)
    except DemoError as error:
        print(f"\nerror: {error}", file=sys.stderr)
        print(f"hint: everything up to there is in {stage.folder}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\n已中止 stopped; {stage.folder}", file=sys.stderr)
        return 130
    play.tell_files(stage, time.monotonic() - started)
    return 0


if __name__ == "__main__":
    sys.exit(main())
