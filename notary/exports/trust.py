"""The trust file that a court is given: what this notary says whom to believe, as of now.

Read from the database and the settings, never from a chain: what the notary's node says is not for the notary
to vouch for. Only the blocks of the embedded chain are pinned, because nobody else knows them, and a verdict
on them says TRIAL.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import Any

from mizheng.notary.anchoring.publisher_key import load_publisher
from mizheng.notary.certificates.setup import parse_certificates
from mizheng.notary.certificates.signer import find_certifier
from mizheng.notary.chain.configured import load_profiles
from mizheng.notary.chain.contract import compute_log_id
from mizheng.notary.chain.deploy import code_hash
from mizheng.notary.chain.profiles import ChainProfile
from mizheng.notary.chain.tables import anchors, beacon_blocks
from mizheng.notary.cosigning.witnesses import load_witnesses
from mizheng.notary.database import reading
from mizheng.notary.errors import OperatorError
from mizheng.notary.instance import Instance
from mizheng.notary.keys.settled import load_issuers
from mizheng.notary.log.keys import load_ranges
from mizheng.notary.models import enrolments
from mizheng.notary.observers import parse_observers
from mizheng.notary.timestamping.renewing import parse_renewal
from mizheng.notary.timestamping.setup import parse_timestamps
from mizheng.verifier.canonical import format_instant
from mizheng.verifier.enrolment import parse_enrolment
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.page import page_digests
from mizheng.verifier.policy import Policy
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.timestamp.authority import Authority
from mizheng.verifier.trust import NamedKey, Release, Trust, TrustedChain, TrustedLog, TrustedLogId
from sqlalchemy import Connection, Row, select, union

# Without these a bundle shows a name that nobody has checked.
REQUIRED_CHECKS = ("depositor.enrolment", "depositor.key-status")

_IN_BLOCK = ("mined", "final")


def make_trust(
    instance: Instance,
    *,
    days: int,
    name: str | None = None,
    quorum: int | None = None,
    require_witnesses: bool = False,
) -> Trust:
    """The trust of today, for `days` days; OperatorError when there is nothing yet to trust, or it must
    not be.
    """
    observers = _observers(instance)
    policy = _witness_policy(instance)
    if require_witnesses and (policy is None or not policy.asks_for_witnesses):
        raise OperatorError(
            "no quorum of witnesses is configured, so none can be required",
            hint="name witnesses in notary.toml, [witnesses]",
        )
    with reading(instance.engine) as connection:
        chains = _chains(connection, instance)
    if not chains:
        raise OperatorError(
            "nothing has been anchored yet, so there is no chain to put into a trust file",
            hint="wait until a deposit is final, or choose a chain: mizheng-notary chain deploy",
        )
    now = int(time.time())
    return Trust(
        name=name or instance.origin,
        issued_at=format_instant(now),
        expires_at=format_instant(now + days * 86400),
        logs=trusted_logs(instance),
        issuers=trusted_issuers(instance, name),
        observers=observers,
        # More than half: one observer that is wrong, or bought, is not enough.
        observer_quorum=_quorum(quorum, len(observers)),
        chains=chains,
        require=(*REQUIRED_CHECKS, *(("witness.quorum",) if require_witnesses else ())),
        witness_policy=policy,
        tsas=tuple(setup.trusted for setup in parse_timestamps(instance.settings.timestamps)),
        retired_hashes=parse_renewal(instance.settings.renewal).retired,
        releases=page_releases(),
        certifiers=_certifiers(instance),
    )


def page_releases() -> tuple[Release, ...]:
    """The checking page of this release, as an office keeps it and as it is put into bundles."""
    page, copy = page_digests()
    name = f"verify.html {version('mizheng')}"
    return Release(name, page), Release(f"{name}, the copy in bundles", copy)


def _certifiers(instance: Instance) -> tuple[Authority, ...]:
    """Who signs this notary's certificates; nobody as long as it has signed none."""
    settings = instance.settings
    setup = parse_certificates(settings.certificates)
    found = find_certifier(
        setup.signer,
        parse_timestamps(settings.timestamps),
        settings.keys_dir,
        instance.origin,
        setup.issuer or instance.origin,
    )
    return () if found is None else (found,)


def trusted_logs(instance: Instance) -> tuple[TrustedLog, ...]:
    """Every key that ever signed the log, with the sizes it may have signed; the first one first."""
    with reading(instance.engine) as connection:
        return tuple(load_ranges(connection))


def trusted_issuers(instance: Instance, name: str | None = None) -> tuple[NamedKey, ...]:
    """Every key that ever signed enrolments, revocations and key statuses, under one name; the oldest first.

    One name, because they are one issuer: with it a status by a later key counts for an enrolment by an
    earlier one.
    """
    with reading(instance.engine) as connection:
        # Also those that enrolled somebody before the list was lost.
        rows = connection.execute(select(enrolments.c.envelope).order_by(enrolments.c.leaf_index)).scalars()
        signers = [parse_enrolment(envelope)[1] for envelope in rows]
        *earlier, present = load_issuers(connection)
    others = [key for key in dict.fromkeys([*earlier, *signers]) if key != present]
    return tuple(NamedKey(name or instance.origin, key) for key in (*others, present))


def _witness_policy(instance: Instance) -> Policy | None:
    """Whose cosignatures count, without the addresses at which they are asked."""
    setup = load_witnesses(instance.settings, _own_keyids(instance))
    return None if setup is None else setup.exported()


def _quorum(asked: int | None, count: int) -> int:
    quorum = count // 2 + 1 if asked is None else asked
    if not 1 <= quorum <= max(count, 1):
        raise OperatorError(
            "a quorum of {quorum} of {count} observers cannot be met", quorum=quorum, count=count
        )
    return quorum


def _observers(instance: Instance) -> tuple[NamedKey, ...]:
    own = _own_keyids(instance)
    found = []
    for peer in parse_observers(instance.settings.observers):
        if peer.key.keyid in own:
            raise OperatorError(
                "the notary itself holds the key of the observer {name}",
                hint="an observer is somebody else with a node of its own; take it out of notary.toml",
                name=peer.name,
            )
        found.append(NamedKey(peer.name, peer.key))
    return tuple(found)


def _own_keyids(instance: Instance) -> set[str]:
    keyids = {instance.keys.log.public.keyid, instance.keys.issuer.public.keyid}
    for path in instance.settings.data_dir.rglob("*.pem"):
        try:
            keyids.add(PrivateKey.from_pem(path.read_bytes()).public.keyid)
        except MizhengError:
            # Not a key without a passphrase; nothing the notary could sign with.
            continue
    return keyids


def _chains(connection: Connection, instance: Instance) -> tuple[TrustedChain, ...]:
    groups: dict[tuple[int, bytes], list[Row[Any]]] = {}
    query = select(anchors).where(anchors.c.state.in_(_IN_BLOCK)).order_by(anchors.c.id)
    for row in connection.execute(query):
        groups.setdefault((row.chain_id, row.genesis_hash), []).append(row)
    chains = {key: _chain(connection, instance.origin, rows) for key, rows in groups.items()}
    for profile in load_profiles(instance.settings):
        if profile.contract is not None:
            # Also before its first anchor: the contract and the log's id are settled.
            chains.setdefault((profile.chain_id, profile.genesis_hash), _configured(instance, profile))
        _name_validators(instance, profile, chains)
    return tuple(chains.values())


def _name_validators(
    instance: Instance, profile: ChainProfile, chains: dict[tuple[int, bytes], TrustedChain]
) -> None:
    """Who seals the chain's blocks, as the operator says; never so many of his own that he could alone."""
    place = (profile.chain_id, profile.genesis_hash)
    if profile.validators.sets and place in chains:
        publisher = load_publisher(instance.settings).address
        sets = profile.validators.exported(profile.name, publisher)
        chains[place] = replace(chains[place], validators=sets)


def _configured(instance: Instance, profile: ChainProfile) -> TrustedChain:
    publisher = load_publisher(instance.settings)
    log_id = compute_log_id(publisher.address, instance.origin)
    return TrustedChain(
        profile.name,
        profile.kind,
        profile.chain_id,
        profile.genesis_hash,
        profile.contract or b"",
        code_hash(),
        (TrustedLogId(instance.origin, log_id, 0, None),),
    )


def _chain(connection: Connection, origin: str, rows: Sequence[Row[Any]]) -> TrustedChain:
    newest = rows[-1]
    return TrustedChain(
        newest.chain,
        newest.kind,
        newest.chain_id,
        newest.genesis_hash,
        newest.contract,
        code_hash(),
        _log_ids(origin, [row for row in rows if row.contract == newest.contract]),
        _pins(connection, newest) if newest.kind == "trial" else {},
    )


def _log_ids(origin: str, rows: Sequence[Row[Any]]) -> tuple[TrustedLogId, ...]:
    """One after the other: where a log was opened anew, the earlier id ends at its last final size."""
    ids = list(dict.fromkeys(row.log_id for row in rows))
    found, first_size = [], 0
    for log_id in ids[:-1]:
        last_size = max((row.tree_size for row in rows if row.log_id == log_id), default=0)
        found.append(TrustedLogId(origin, log_id, first_size, last_size))
        first_size = last_size + 1
    return (*found, TrustedLogId(origin, ids[-1], first_size, None))


def _pins(connection: Connection, chain: Row[Any]) -> Mapping[int, bytes]:
    """The blocks that evidence of this notary can stand on."""
    anchored = select(anchors.c.block_number, anchors.c.block_hash).where(
        anchors.c.chain_id == chain.chain_id,
        anchors.c.genesis_hash == chain.genesis_hash,
        anchors.c.state == "final",
    )
    beacons = select(beacon_blocks.c.number, beacon_blocks.c.hash).where(
        beacon_blocks.c.chain_id == chain.chain_id, beacon_blocks.c.genesis_hash == chain.genesis_hash
    )
    return {row.block_number: row.block_hash for row in connection.execute(union(anchored, beacons))}
