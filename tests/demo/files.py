"""The company's files in the demo: made up, small, with the names that real ones have."""

import os
from pathlib import Path

RECIPE = "配方/三号催化剂配方（绝密）.txt"
"""The one file that is shown to the court; all others stay closed."""

TEXTS = {
    RECIPE: "三号催化剂\n钯 0.8 %，铈锆固溶体载体，焙烧 620 °C × 4 h\n",
    "配方/二号催化剂配方.txt": "二号催化剂\n铂 1.1 %，氧化铝载体，焙烧 550 °C × 3 h\n",
    "图纸/反应釜总装图 A1.svg": '<svg xmlns="http://www.w3.org/2000/svg"><circle r="40"/></svg>\n',
    "客户/客户名单 2026.csv": "客户,联系人,年采购量（吨）\n示例客户甲,甲,120\n示例客户乙,乙,85\n",
    "客户/待补充.csv": "",
}
# Large enough that a digest takes a moment, small enough for a disk that is nearly full.
MODEL_BYTES = 8 * 1024 * 1024


def make_files(folder: Path) -> None:
    """Write the files, an empty one, a large one and a link among them."""
    for name, text in TEXTS.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    (folder / "图纸" / "反应釜三维模型.step").write_bytes(os.urandom(MODEL_BYTES))
    (folder / "图纸" / "最新总装图.svg").symlink_to("反应釜总装图 A1.svg")


def tamper(path: Path, target: Path) -> None:
    """A copy in which one digit is another: what somebody might say that he had."""
    target.write_text(path.read_text("utf-8").replace("0.8", "0.9"), "utf-8")
