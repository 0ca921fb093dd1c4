"""The page verify.html: `python -m tests.tools.page [--check]`.

Without --check the committed verifier/web/verify.html is written anew; with it, one line says whether it is
what the sources, the catalogue and verifier/codes.py give.
"""

from __future__ import annotations

import argparse
import sys

from tests.support.webbuild import PAGE, make_page


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.tools.page", description="the page verify.html")
    parser.add_argument("--check", action="store_true", help="say whether it is what the sources give")
    options = parser.parse_args()
    page = make_page()
    if options.check:
        is_current = PAGE.exists() and PAGE.read_bytes() == page
        print("current" if is_current else "stale: python -m tests.tools.page")
        return 0 if is_current else 1
    PAGE.write_bytes(page)
    print(f"{PAGE.name}: {len(page):,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
