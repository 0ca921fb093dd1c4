"""The check codes: an append-only list. A code once published keeps its meaning for ever.

Each with a title, which is a message id, in the order in which a report shows them.
"""

from __future__ import annotations

from .words import N_

CODES: dict[str, str] = {
    "trust.current": N_("the trust file is given and has not expired"),
    "bundle.structure": N_("the bundle can be read: names, sizes, limits"),
    "bundle.form": N_("the ZIP has the form it was made with"),
    "bundle.signature": N_("the list of members is signed by the depositor's key"),
    "bundle.members": N_("the depositor's members are all there and unchanged"),
    "envelope.signature": N_("the statement is signed by the key it names"),
    "record.inclusion": N_("the opened record belongs to the deposited commitment"),
    "record.content": N_("the opened record is well-formed"),
    "original.match": N_("the file is the one that was sealed"),
    "log.entry": N_("the log entry names this very envelope"),
    "log.inclusion": N_("the entry is in the log's tree"),
    "checkpoint.signature": N_("the checkpoint is signed by a trusted log key"),
    "witness.quorum": N_("independent witnesses cosigned the checkpoint"),
    "timestamp.token": N_("the time-stamp token is whole and its signature holds"),
    "timestamp.imprint": N_("the token is over a checkpoint of this bundle"),
    "timestamp.authority": N_("a trusted time-stamp authority made the token"),
    "timestamp.revocation": N_("no certificate of the token was revoked"),
    "timestamp.current": N_("the token still counts today, by itself or renewed"),
    "token.valid": N_("a time-stamp token over the checkpoint is valid"),
    "anchor.header": N_("the block header hashes to the block hash"),
    "anchor.receipt": N_("the transaction receipt is in the block"),
    "anchor.event": N_("the receipt holds the contract's event with this size and root"),
    "anchor.storage": N_("the contract's storage holds this root"),
    "anchor.contract": N_("chain, contract and log id are the trusted ones"),
    "anchor.checkpoint": N_("what is anchored is a checkpoint of this bundle"),
    "anchor.canonical": N_("the block belongs to the chain"),
    "observation.signature": N_("the observation is signed by a trusted observer"),
    "beacon.block": N_("the not-before block is the one the statement names"),
    "beacon.canonical": N_("the not-before block belongs to the chain"),
    "time.order": N_("the earliest time is not after the latest"),
    "time.clocks": N_("the clocks that date this agree"),
    "depositor.enrolment": N_("the key was enrolled for this depositor before the deposit"),
    "depositor.key-status": N_("the key was not revoked when it signed"),
    "depositor.x509": N_("an X.509 certificate names the depositor"),
    "renewal.chain": N_("evidence records renew the time stamps"),
    "hash.current": N_("the hash on which the proofs rest still counts, or all was hashed anew in time"),
    "custody.chain": N_("the chain of custody is unbroken"),
    "custody.signatures": N_("each custody event is signed by all who took part"),
    "custody.log": N_("the custody events are on record in the log, in their order"),
    "custody.custodians": N_("it is known whose keys signed the custody events"),
    "disclosure.entry": N_("this opening is on record in the log"),
    "platform.facts": N_("the platform's facts are signed by the issuer"),
    "certificate.signature": N_("the certificate is signed by the notary"),
    "exhibits.list": N_("the exhibit list names what is opened"),
    "page.digest": N_("the enclosed checking page is a published one"),
    "online.root": N_("the contract still answers with this root"),
    "anchor.seals": N_("enough of the chain's own validators sealed the block"),
    "foreign.observed": N_("trusted observers say that a chain with foreign headers holds this root"),
    "supplement.link": N_("the supplement names an earlier deposit of the same depositor"),
}

NEEDED = (
    "trust.current",
    "bundle.structure",
    "bundle.signature",
    "bundle.members",
    "envelope.signature",
    "record.inclusion",
    "log.entry",
    "log.inclusion",
    "checkpoint.signature",
)
NEEDED_ONE_OF = ("anchor.canonical", "token.valid")
