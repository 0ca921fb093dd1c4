"""The four packages: what they are called installed, and a folder that shows them so to tools."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("verifier", "contracts", "notary", "cli")
PACKAGES = tuple(f"mizheng.{folder}" for folder in FOLDERS)
LINKS = ROOT / "build" / "mypy"


def link_packages() -> None:
    """Make build/mypy/mizheng/<folder>, a link to each folder; what stands already is left alone."""
    parent = LINKS / "mizheng"
    parent.mkdir(parents=True, exist_ok=True)
    for folder in FOLDERS:
        link = parent / folder
        if not link.is_symlink():
            link.symlink_to(Path("../../..") / folder, target_is_directory=True)
