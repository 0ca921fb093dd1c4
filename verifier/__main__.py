"""`python -m mizheng.verifier BUNDLE [FILE …] --trust trust.toml`: the offline verifier by itself.

Needs nothing but this package, cryptography and pycryptodome. Exit codes: 0 valid, 1 invalid,
2 undetermined, 64 usage, 65 a trust file that is none, 66 a file that cannot be read.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import time
from pathlib import Path

from .errors import MizhengError
from .paper.reading import find_reader
from .text import render
from .trust import parse_trust
from .verify import verify_bundle
from .words import choose_language, translator

USAGE, BAD_DATA, NO_INPUT = 64, 65, 66


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        print(f"error: {message}\nhint: python -m mizheng.verifier --help", file=sys.stderr)
        raise SystemExit(USAGE)


def main(arguments: list[str] | None = None) -> int:
    """Check one bundle, print the report, return the exit code."""
    parser = _Parser(prog="python -m mizheng.verifier", description="Check an evidence bundle offline.")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("files", type=Path, nargs="*", help="originals, or folders of them")
    parser.add_argument("--trust", type=Path, help="the trust file, from the court's own channel")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--lang", choices=("zh", "en"), help="language of the report")
    options = parser.parse_args(arguments)
    _ = translator(choose_language(options.lang, os.environ))
    try:
        trust = parse_trust(options.trust.read_bytes()) if options.trust else None
        report = verify_bundle(
            options.bundle, trust, now=int(time.time()), files=options.files, pdf_reader=find_reader()
        )
    except OSError as error:
        reason = error.strerror or type(error).__name__
        print(f"error: {error.filename}: {reason}\nhint: {_('check the path')}", file=sys.stderr)
        return NO_INPUT
    except MizhengError as error:
        # Only the trust file raises: whatever a bundle holds is a finding of the report.
        print(f"error: {_(error.message).format(**error.values)}", file=sys.stderr)
        print(f"hint: {_(error.hint or 'ask its issuer for the trust file again')}", file=sys.stderr)
        return BAD_DATA
    if options.json:
        # ASCII alone: no terminal and no encoding can change what a machine reads.
        print(json.dumps(report.to_json(), indent=2))
    else:
        # A terminal that cannot show a character shows its number; the verdict stays the same.
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")
        print(render(report, _), end="")
    return report.verdict.exit_code


if __name__ == "__main__":
    sys.exit(main())
