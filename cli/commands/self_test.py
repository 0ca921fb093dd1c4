"""`mizheng self-test`: does this installation judge as it should; what an appraiser puts on record of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click
from mizheng.cli.errors import SoftwareFault
from mizheng.cli.terminal.language import N_, _
from mizheng.cli.terminal.output import Progress, emit_json, say
from mizheng.cli.terminal.screens import Command
from mizheng.cli.terminal.text import pad, printable

if TYPE_CHECKING:
    from mizheng.cli.checking.selftest import SelfTest

_NAMES = {
    "python": N_("Python"),
    "cryptography": N_("cryptography library"),
    "openssl": N_("OpenSSL"),
    "platform": N_("operating system"),
    "machine": N_("processor"),
}


@click.command(
    "self-test",
    cls=Command,
    help=N_(
        "Judge every published test vector, bundles with one defect each and sound ones, and compare with "
        "what must come out, check by check. Prints what a procedure wants on record: version and digest of "
        "the software, what it runs on, the groups of vectors with their counts, the result. No network, no "
        "settings and no key are used.\n\n"
        "Exit code 0: every vector got its answer; 70: not so, and this installation must not be relied on."
    ),
    epilog=N_("mizheng self-test\nmizheng self-test --json > self-test.json"),
)
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def self_test(as_json: bool) -> int:
    from mizheng.cli.checking.selftest import TYPE, describe_machine, read_vectors, run_vectors
    from mizheng.cli.software import NAME, software_digest, software_version
    from mizheng.verifier.canonical import format_instant

    at = int(time.time())
    with Progress(_("test vectors")) as progress:
        result = run_vectors(read_vectors(), lambda: progress.advance(1, 0))
    software = {"name": NAME, "version": software_version(), "digest": software_digest()}
    machine = dict(describe_machine())
    exit_code = 0 if result.has_passed else SoftwareFault.exit_code
    if as_json:
        emit_json(
            {
                "type": TYPE,
                "at": format_instant(at),
                "software": software,
                **machine,
                "vectors_sha256": result.sha256,
                "groups": [
                    {"group": group, "vectors": count, "as_published": passed}
                    for group, (count, passed) in result.counts.items()
                ],
                "vectors": result.count,
                "differences": [
                    {"vector": item.vector, "expected": item.expected, "found": item.found}
                    for item in result.differences
                ],
                "result": "passed" if result.has_passed else "failed",
                "exit_code": exit_code,
            }
        )
    else:
        _show(at, software, machine, result, exit_code)
    return exit_code


def _show(
    at: int, software: dict[str, str], machine: dict[str, str], result: SelfTest, exit_code: int
) -> None:
    from mizheng.verifier.text import format_time

    rows = [
        (_("software"), f"{software['name']} {software['version']}"),
        (_("digest of the software"), software["digest"]),
        *((_(_NAMES[key]), printable(value)) for key, value in machine.items()),
        (_("vectors' SHA-256"), result.sha256),
        (_("carried out at"), format_time(at)),
    ]
    say(_("Self-test of the verifier"))
    say()
    for name, value in rows:
        say(f"  {pad(name, 24)}{value}")
    say()
    for group, (count, passed) in result.counts.items():
        say(f"  {pad(group, 24)}{passed}/{count}")
    say()
    for item in result.differences:
        say(_("not as published: {vector}", vector=item.vector))
        for key in item.expected:
            say(f"  {key}: {printable(str(item.expected[key]))} / {printable(str(item.found[key]))}")
    if result.has_passed:
        say(_("PASSED — all {count} vectors got the published answer", count=result.count))
    else:
        say(
            _(
                "FAILED — {failed} of {count} vectors got another answer: do not rely on this installation",
                failed=len(result.differences),
                count=result.count,
            )
        )
    say(_("exit code {code}", code=exit_code))
