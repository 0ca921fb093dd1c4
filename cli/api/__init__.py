"""The Python interface, for programs of a company or a court: a PLM's export, a Git hook, a nightly job.

    from mizheng.cli.api import bundle, deposit, seal, send, state

It does what the commands of the same names do, with the settings of the same folder (MIZHENG_HOME), prints
nothing, asks nothing and raises `MizhengError` with a message and a hint. `verify` is the verifier's own
`mizheng.verifier.verify.verify_bundle`, which needs no settings at all. Names of this package stay; what else
lies in `mizheng.cli`, and how this package is divided, may change with every release.
"""

from mizheng.cli.api.custody import add_custody, custody, record_custody
from mizheng.cli.api.depositing import Deposited, Sealed, Supplemented, deposit, seal, state, supplement
from mizheng.cli.api.originals import keep, retrieve
from mizheng.cli.api.showing import Disclosed, Requested, bundle, disclosures, requests
from mizheng.cli.api.transfers import (
    Accepted,
    Received,
    Transferred,
    import_answer,
    receive,
    send,
    take_answers,
    transfers,
    withdraw,
)
from mizheng.cli.bundling.job import Bundled
from mizheng.cli.keeping.keep import Done
from mizheng.cli.keeping.retrieve import Retrieved
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.report import CustodyLine
from mizheng.verifier.verify import verify_bundle as verify

__all__ = [
    "Accepted",
    "Bundled",
    "CustodyLine",
    "Deposited",
    "Disclosed",
    "Done",
    "MizhengError",
    "Received",
    "Requested",
    "Retrieved",
    "Sealed",
    "Supplemented",
    "Transferred",
    "add_custody",
    "bundle",
    "custody",
    "deposit",
    "disclosures",
    "import_answer",
    "keep",
    "receive",
    "record_custody",
    "requests",
    "retrieve",
    "seal",
    "send",
    "state",
    "supplement",
    "take_answers",
    "transfers",
    "verify",
    "withdraw",
]
