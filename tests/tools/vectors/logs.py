"""The log: an entry at another place, another tree, checkpoints that somebody else signed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from mizheng.verifier.checkpoint import TlogProof, parse_tlog_proof, sign_checkpoint
from mizheng.verifier.merkle import leaf_hash
from mizheng.verifier.note import NoteSigner, NoteVerifier, join_note, parse_note, signature_line
from mizheng.verifier.trust import Trust, TrustedLog

from tests.support import ed25519
from tests.support.world import ORIGIN
from tests.verifier.attacks.places import log_proofs

from .case import Case, Cases, slug
from .setting import ENROLMENT_PROOF, HEAD, STAMPED_AT, Members, Setting, ordered
from .sound import changed_log, cosigned

_NOT_REACHED = ("timestamp.imprint",)


def cases() -> list[Case]:
    return [*_places(), *_forms(), *_signers()]


def _places() -> list[Case]:
    found = Cases("log")
    for name in log_proofs(TlogProof(2, (), b"")):
        found.fails(
            slug(name),
            f"an entry that says another place in the log than its own: {name}",
            ("log.inclusion", *_NOT_REACHED),
            lambda s, name=name: with_head(s, log_proofs(proof(s))[name].dump()),
        )
    for size in (4, 6, 2**63 - 1):
        found.fails(
            f"named-{size}",
            f"a head whose member's name says another tree size: {size}",
            ("log.inclusion", *_NOT_REACHED),
            lambda s, size=size: renamed(s, size),
        )
    found.fails(
        "forked-tree",
        "a head of another tree of the same size, which the log signed as well: the token knows better",
        ("timestamp.imprint", "depositor.enrolment"),
        forked,
    )
    found.fails("two-places", "one envelope logged twice, proven at both places", "log.inclusion", two_places)
    found.fails("two-logs", "a second head, of another log", "log.inclusion", two_logs, trust=trusting_both)
    found.fails("no-head", "no proof from the log at all", _NOT_REACHED, no_head)
    found.fails(
        "node-as-entry",
        "an inner node of the tree in the place of the entry",
        ("log.inclusion", *_NOT_REACHED),
        node_as_entry,
    )
    return found.all


def proof(s: Setting) -> TlogProof:
    return parse_tlog_proof(s.small[HEAD])


def with_head(s: Setting, head: bytes) -> Members:
    return {**s.small, HEAD: head}


def renamed(s: Setting, size: int) -> Members:
    members = dict(s.small)
    members[f"heads/{size}.tlog-proof"] = members.pop(HEAD)
    return ordered(members)


def forked(s: Setting) -> Members:
    log = s.log()
    log.leaves[0] = leaf_hash(b"forked")
    return with_head(s, log.proof(s.scene.first.index))


def two_places(s: Setting) -> Members:
    log = s.log()
    again = log.append(s.scene.first.envelope)
    return ordered({**s.small, "heads/6.tlog-proof": log.proof(again)})


def _other_log(s: Setting) -> NoteSigner:
    s.stream.restart("another log")
    return NoteSigner("log.example/other", s.stream.key())


def two_logs(s: Setting) -> Members:
    log = s.log()
    log.append(b"one entry more")
    return ordered({**s.small, "heads/6.tlog-proof": log.proof(s.scene.first.index, signer=_other_log(s))})


def trusting_both(s: Setting) -> Trust:
    other = NoteVerifier.from_vkey(_other_log(s).vkey)
    return s.trust(logs=(*s.trust().logs, TrustedLog(other, 0, None)))


def no_head(s: Setting) -> Members:
    return {name: data for name, data in s.small.items() if name not in (HEAD, ENROLMENT_PROOF)}


def node_as_entry(s: Setting) -> Members:
    """The proof of the entry's parent: one hash shorter, at half the index."""
    one = proof(s)
    return with_head(s, replace(one, index=one.index // 2, hashes=one.hashes[1:]).dump())


# Text and lines, in all members that carry the note.


def _forms() -> list[Case]:
    found = Cases("note")

    def put(name: str, why: str, change: Callable[[bytes], bytes]) -> None:
        code = ("log.inclusion", *_NOT_REACHED)
        found.fails(name, why, code, lambda s: with_head(s, change(s.small[HEAD])))

    put(
        "later-version",
        "a proof of a version to come",
        lambda d: d.replace(b"tlog-proof@v1", b"tlog-proof@v2"),
    )
    put(
        "extra-line",
        "a proof with an extra line, which this format does not have",
        lambda d: d.replace(b"@v1\n", b"@v1\nextra AA==\n"),
    )
    put("carriage-returns", "lines that end in CR LF", lambda d: d.replace(b"\n", b"\r\n"))
    put(
        "extension-line",
        "a checkpoint with an extension line",
        lambda d: d.replace(b"\n\n\xe2", b"\nextension\n\n\xe2"),
    )
    put(
        "size-zero-padded",
        "a tree size with a leading zero",
        lambda d: d.replace(b"trial\n5\n", b"trial\n05\n"),
    )
    put("no-signature", "a checkpoint that nobody signed", lambda d: d[: d.rindex(b"\xe2\x80\x94")])
    put(
        "control-character",
        "a control character in the signature's name",
        lambda d: d.replace(b"\xe2\x80\x94 log", b"\xe2\x80\x94 \x01log"),
    )
    put("hyphen", "a signature line that begins with a hyphen", lambda d: d.replace(b"\xe2\x80\x94 ", b"-- "))
    put("last-newline-missing", "no newline at the end", lambda d: d[:-1])
    put("index-plus", "an index with a sign", lambda d: d.replace(b"index ", b"index +"))
    return found.all


def _signers() -> list[Case]:
    found = Cases("checkpoint")
    broken = "checkpoint.signature"
    found.fails(
        "bit",
        "one bit of the log's signature is another",
        broken,
        lambda s: note_with(s, lambda made: bytes([made[0] ^ 1]) + made[1:]),
    )
    found.fails(
        "s-plus-order",
        "S of the log's signature is not below the group order",
        broken,
        lambda s: note_with(s, _plus_order),
    )
    found.fails(
        "cut", "the log's signature cut short", broken, lambda s: note_with(s, lambda made: made[:-1])
    )
    found.fails("of-another-text", "the log's signature under another of its checkpoints", broken, other_text)
    found.fails(
        "good-and-broken",
        "a broken line of a known key after a line that nobody knows",
        broken,
        good_and_broken,
    )
    found.passes(
        "second-line-of-one-key",
        "a second line of the log's key counts for nothing, whatever it holds",
        second_line,
    )
    found.stays_open("unknown-key", "a head that a key signed whom nobody knows", broken, stranger_signs)
    found.stays_open(
        "key-not-known-yet",
        "a head of the log's second key under a trust file from before the change",
        broken,
        second_key,
    )
    found.stays_open(
        "witness-alone",
        "a head that a witness cosigned and the log did not sign",
        broken,
        witness_alone,
        trust="witnesses",
    )
    found.fails(
        "key-replaced",
        "a head that the log's first key signed after it had been replaced",
        broken,
        replaced_signs_on,
        trust=lambda s: s.trust(logs=changed_log(s)[2].keys.ranges),
    )
    found.fails(
        "key-for-smaller-trees",
        "a stolen key: the trust file ends it before this size",
        broken,
        lambda s: s.small,
        trust=lambda s: ranged(s, 0, 4),
    )
    found.fails(
        "key-for-larger-trees",
        "a key that the trust file begins after this size",
        broken,
        lambda s: s.small,
        trust=lambda s: ranged(s, 6, None),
    )
    found.passes(
        "key-for-this-size",
        "a key that the trust file has for just this size",
        lambda s: s.small,
        trust=lambda s: ranged(s, 5, 5),
    )
    return found.all


def _plus_order(made: bytes) -> bytes:
    value = int.from_bytes(made[32:], "little") + ed25519.L
    return made[:32] + value.to_bytes(32, "little")


def renoted(s: Setting, note: bytes) -> Members:
    """With another note in both proofs."""
    old = proof(s).note
    return {name: data.replace(old, note) for name, data in s.small.items()}


def note_with(s: Setting, change: Callable[[bytes], bytes]) -> Members:
    note = parse_note(proof(s).note)
    (line,) = note.signatures
    return renoted(
        s, join_note(note.text, [signature_line(line.name, line.key_hash, change(line.signature))])
    )


def other_text(s: Setting) -> Members:
    (line,) = parse_note(s.world.checkpoint_note(4)).signatures
    return note_with(s, lambda _: line.signature)


def second_line(s: Setting) -> Members:
    note = parse_note(proof(s).note)
    (line,) = note.signatures
    return cosigned(s, signature_line(line.name, line.key_hash, bytes(64)))


def good_and_broken(s: Setting) -> Members:
    note = parse_note(proof(s).note)
    (line,) = note.signatures
    stranger = NoteSigner(ORIGIN, s.stream.key()).sign(note.text)
    return renoted(s, join_note(note.text, [stranger, signature_line(line.name, line.key_hash, bytes(64))]))


def stranger_signs(s: Setting) -> Members:
    return renoted(s, sign_checkpoint(proof(s).checkpoint, NoteSigner(ORIGIN, s.stream.key())))


def witness_alone(s: Setting) -> Members:
    text = parse_note(proof(s).note).text
    return renoted(s, join_note(text, [one.cosign(text, STAMPED_AT) for one in s.witnesses]))


def second_key(s: Setting) -> Members:
    log, deposit, _ = changed_log(s)
    return s.stamped(log, deposit)


def replaced_signs_on(s: Setting) -> Members:
    log, deposit, changing = changed_log(s)
    return s.stamped(log, deposit, signer=changing.signers[0])


def ranged(s: Setting, first: int, last: int | None) -> Trust:
    return s.trust(logs=(TrustedLog(s.world.signer.verifier, first, last),))
