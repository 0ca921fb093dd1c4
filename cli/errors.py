"""What can go wrong at the command line, drawn once, with the exit code of each.

    MizhengError (verifier)
    └── CommandError           exit code (after BSD's sysexits.h)
        ├── UsageFault             64  the command was given wrong
        ├── DataFault              65  a file that is not what it should be
        ├── InputFault             66  a file that is missing or unreadable
        ├── UnavailableFault       69  the notary or a node does not answer
        ├── SoftwareFault          70  an answer or a state that should not occur
        ├── OutputFault            73  a file that cannot be created
        ├── ReadWriteFault         74  the disk fails
        ├── WaitingFault           75  not there yet; the same command may succeed later
        ├── RefusedFault           76  the notary says no
        ├── PermissionFault        77  a key, a passphrase or a right that is missing
        └── ConfigurationFault     78  not set up yet, or set up wrongly

Codes 0 to 2 belong to the verdict of `verify` and to the finding of `audit` (auditing/faults.py). Messages
here are shown on the depositor's own terminal only, so they may name a file of his; no server ever sees them.
"""

from __future__ import annotations

from mizheng.verifier.errors import FormatError, KeyFormatError, MizhengError, ProofError

INTERRUPTED = 130
BROKEN_PIPE = 141


class CommandError(MizhengError):
    """An error that ends a command with `exit_code`."""

    exit_code = 70


class UsageFault(CommandError):
    """The command was given wrong."""

    exit_code = 64


class DataFault(CommandError):
    """A file that is not what it should be."""

    exit_code = 65


class InputFault(CommandError):
    """A file that is missing or unreadable."""

    exit_code = 66


class UnavailableFault(CommandError):
    """The notary or a node does not answer."""

    exit_code = 69


class SoftwareFault(CommandError):
    """An answer or a state that should not occur."""

    exit_code = 70


class OutputFault(CommandError):
    """A file that cannot be created."""

    exit_code = 73


class ReadWriteFault(CommandError):
    """The disk fails."""

    exit_code = 74


class WaitingFault(CommandError):
    """Not there yet; the same command may succeed later."""

    exit_code = 75


class RefusedFault(CommandError):
    """The notary says no; `problem` is the name of its reason."""

    exit_code = 76
    problem = ""


class PermissionFault(CommandError):
    """A key, a passphrase or a right that is missing."""

    exit_code = 77


class ConfigurationFault(CommandError):
    """Not set up yet, or set up wrongly."""

    exit_code = 78


def exit_code_of(error: MizhengError) -> int:
    """The exit code for any error of ours."""
    if isinstance(error, CommandError):
        return error.exit_code
    if isinstance(error, (FormatError, ProofError, KeyFormatError)):
        return DataFault.exit_code
    return SoftwareFault.exit_code
