"""A chain of custody as a command finds it: beside the company's seal, or in somebody's bundle."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mizheng.cli.custody.store import CustodyRegister
from mizheng.cli.depositing.client import decode_base64
from mizheng.cli.errors import DataFault, InputFault, WaitingFault
from mizheng.cli.keys.sealing import open_seal
from mizheng.cli.sealfile.content import Content
from mizheng.cli.sealfile.read import Seal
from mizheng.cli.session import Session
from mizheng.verifier.bundle import Bundle
from mizheng.verifier.custody import CustodyDocument, read_custody
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.holdings import Holdings
from mizheng.verifier.members import STATEMENT
from mizheng.verifier.statement import parse_envelope


@dataclass(slots=True)
class CustodyChain:
    """Events that follow one another, all of them signed, and who has the evidence after them."""

    envelope_sha256: str
    documents: list[CustodyDocument]
    holdings: Holdings

    def add(self, data: bytes) -> CustodyDocument:
        """Take one more; MizhengError unless it is signed by all who have to and can be the next one."""
        document = read_custody(data)
        document.verify()
        self.holdings.add(document)
        self.documents.append(document)
        return document

    @classmethod
    def start(cls, envelope: bytes) -> CustodyChain:
        """An empty one of this deposit; MizhengError unless it is a statement's envelope."""
        parsed, statement = parse_envelope(envelope)
        return cls(parsed.sha256, [], Holdings(parsed.sha256, statement.public_key))


def is_bundle(path: Path) -> bool:
    """Whether a command was given a bundle rather than a seal; InputFault where there is neither."""
    try:
        with path.open("rb") as file:
            return file.read(2) == b"PK"
    except OSError as error:
        raise InputFault("{name}: {reason}", name=str(path), reason=error.strerror) from error


def read_chain(session: Session, path: Path) -> CustodyChain:
    """That of a seal or of a bundle."""
    if is_bundle(path):
        return read_bundle_chain(path)
    with Seal(path) as seal:
        return read_seal_chain(seal, open_seal(seal, session.home))[0]


def read_bundle_chain(path: Path) -> CustodyChain:
    """The chain in a bundle; DataFault when it is broken: then nothing is to be added to it."""
    try:
        with Bundle(path) as bundle:
            chain = CustodyChain.start(bundle.read(STATEMENT))
            for name in bundle.group("custody"):
                if name.endswith(".dsse.json") and not name.endswith(".event.dsse.json"):
                    chain.add(bundle.read(name))
            return chain
    except MizhengError as error:
        raise DataFault(
            "the chain of custody in {name} does not hold: {reason}",
            "mizheng verify {name} says more; ask for the bundle again from where it was made",
            name=str(path),
            reason=str(error),
        ) from error


def read_seal_chain(seal: Seal, content: Content) -> tuple[CustodyChain, CustodyRegister]:
    """The chain that the company keeps; WaitingFault for a seal that was not deposited."""
    deposit = seal.state.deposit
    if deposit is None or deposit.answer is None:
        raise WaitingFault("{name} has not been deposited", "mizheng notarize {name}", name=str(seal.path))
    chain = CustodyChain.start(decode_base64(deposit.envelope))
    register = CustodyRegister(seal.path, content.manifest_key)
    for kept in register.kept:
        chain.add(kept.document)
    return chain, register
