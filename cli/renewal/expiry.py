"""What of the evidence stops counting when, and who has to do what before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mizheng.cli.terminal.language import N_
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.renewal.chain import verify_record
from mizheng.verifier.renewal.record import EvidenceRecord, parse_record
from mizheng.verifier.timestamp.algorithms import SHA256
from mizheng.verifier.timestamp.authority import judge
from mizheng.verifier.timestamp.token import Token, parse_response, parse_token
from mizheng.verifier.trust import Trust

NOTARY, COMPANY = N_("the notary"), N_("the company")
TIME_STAMP, HASH_TREE = "time-stamp-renewal", "hash-tree-renewal"
NEEDS = {TIME_STAMP: N_("a new time stamp over the old one"), HASH_TREE: N_("all of it hashed anew")}


@dataclass(frozen=True, slots=True)
class Expiry:
    """One thing to do about one file."""

    name: str
    """The bundle or seal."""
    what: str
    """The authority or hash that ends."""
    needs: str
    by: int
    """Seconds since 1970."""
    who: str
    """A message id."""
    is_believed: bool
    """The trust file knows the authority; else the date is that of the certificates inside."""


def find_expiries(
    name: str,
    stamps: Sequence[tuple[bytes, bytes]],
    records: Iterable[bytes],
    trust: Trust | None,
) -> list[Expiry]:
    """What the tokens of a file need. `stamps`: TimeStampResp and text; `records`: evidence records."""
    parsed = [parse_record(data) for data in records]
    found = []
    retired = {} if trust is None else trust.retired_hashes
    for response, text in stamps:
        token = parse_token(parse_response(response))
        own = [record for record in parsed if _begins_with(record, token)]
        # The company's records go on under a hash of their own; the notary's are over the text alone.
        rehashed = [record for record in own if len(record.chains) > 1]
        found.append(_token_expiry(name, token, own, text, trust, is_companys=bool(rehashed)))
        ends = retired.get(SHA256.name)
        if ends is not None and not rehashed:
            found.append(Expiry(name, SHA256.name, HASH_TREE, ends, COMPANY, True))
    return found


def _token_expiry(
    name: str,
    token: Token,
    records: Sequence[EvidenceRecord],
    text: bytes,
    trust: Trust | None,
    *,
    is_companys: bool,
) -> Expiry:
    last = token
    ends: list[int] = []
    for record in records:
        last = parse_token(record.chains[-1][-1].token)
        if trust is not None and len(record.chains) == 1:
            try:
                ends.append(verify_record(record, text, [], trust.tsas, trust.retired_hashes).holds_until)
            except MizhengError:
                continue
        else:
            ends.append(_until(last, trust)[1])
    authority, until, is_believed = _name_and_end(last, trust)
    who = COMPANY if is_companys else NOTARY
    return Expiry(name, authority, TIME_STAMP, max(ends, default=until), who, is_believed)


def _name_and_end(token: Token, trust: Trust | None) -> tuple[str, int, bool]:
    is_believed, until = _until(token, trust)
    return token.signer.name, until, is_believed


def _until(token: Token, trust: Trust | None) -> tuple[bool, int]:
    """(believed, end): by the trust file, else by the certificates that the token carries."""
    if trust is not None:
        try:
            return True, judge(token, trust.tsas, trust.retired_hashes).holds_until
        except MizhengError:
            pass
    return False, min(certificate.not_after for certificate in (token.signer, *token.signed.certificates))


def _begins_with(record: EvidenceRecord, token: Token) -> bool:
    return parse_token(record.chains[0][0].token).signed.signature == token.signed.signature
