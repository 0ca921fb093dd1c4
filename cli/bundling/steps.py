"""Checking a bundle with stock tools: the commands that its README.txt prints, filled with its own values.

They are for bash with openssl 3, sha256sum, base64, sed, od and cut, in the folder that the ZIP was unpacked
to. Each ends in `same`, which says whether two values agree and fails where they do not; so all of them
together, run with `bash -e`, succeed only if every step does.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from textwrap import indent

from mizheng.verifier import shell
from mizheng.verifier.bundle import BUNDLE_PAYLOAD_TYPE
from mizheng.verifier.bundlewriting import Evidence
from mizheng.verifier.checkpoint import parse_checkpoint, parse_tlog_proof
from mizheng.verifier.manifest import OpenedRecord
from mizheng.verifier.members import DOCUMENT, STATEMENT
from mizheng.verifier.statement import STATEMENT_PAYLOAD_TYPE, Statement
from mizheng.verifier.timestamp.token import parse_response, parse_token

_TOOLS = f"""
k=@keyid@
m=@commitment@
{shell.functions("unhex", "tohex", "digest", "field", "payload", "node", "prove", "dsse")}
same() {{ if [ "$1" = "$2" ]; then echo "OK $3"; else echo "WRONG $3"; false; fi; }}
"""

_RECORDS = f"""
for r in records/*.json; do {shell.record("$r")}; echo; done
"""

_ORIGINALS = f"""
for f in originals/*; do
  r=records/${{f##*/}}.json
  same $(digest < $f) $({shell.record("$r")} | field sha256) "$f SHA-256"
  same $(openssl dgst -sm3 -r $f | cut -c 1-64) $({shell.record("$r")} | field sm3) "$f SM3"
done
"""

_NO_ORIGINALS = r"""
sha256sum FILE
openssl dgst -sm3 FILE
"""

_ONE_COMMITMENT = f"""\
i=$(sed 's/.*"index":\\([0-9]*\\).*/\\1/' $r)
n=$({shell.record_root("$r", "$i", "@size@")})
c=$({shell.commitment("@size@", "$n")})
same $c $m "$r"
"""
_COMMITMENT = f"""
for r in records/*.json; do
{indent(_ONE_COMMITMENT, "  ")}done
"""

_STATEMENT = f"""
d=$({shell.own_key()})
same $(echo $d | base64 -d | digest) $k "the depositor's key"
same $(payload {STATEMENT} | field commitment) $m "the commitment in the statement"
same "$(field payloadType < {STATEMENT})" \\
  {STATEMENT_PAYLOAD_TYPE} "what was signed"
dsse {STATEMENT} $d
"""

_LIST = f"""
same "$(field payloadType < {DOCUMENT})" \\
  {BUNDLE_PAYLOAD_TYPE} "what was signed"
dsse {DOCUMENT} $d
same $(payload {DOCUMENT} | field envelope_sha256) \\
  $(digest < {STATEMENT}) "whose list it is"
{shell.members()}
"""

_LOG = f"""
n=$({shell.log_root("@head@", "@index@", "@entries@", f"$({shell.entry_leaf()})")})
same $n $({shell.checkpoint_root("@head@")}) "the log's root, of @entries@ entries"
"""

_TIME_STAMP = f"""
same "$(cat timestamps/0001.txt)" \\
  "$(sed '1,/^$/d' @head@ | sed '/^$/,$d')" "what the token is over"
{shell.token("timestamps/0001.tsr", "timestamps/0001.txt", "trust.toml", "roots.pem", "@time@")}
"""


def steps(
    statement: Statement,
    opened: Sequence[OpenedRecord],
    originals: Collection[int],
    evidence: Evidence,
) -> Mapping[str, str]:
    """The commands of each step by its name; empty where this bundle has nothing for it.

    `originals` are the places in `opened` of the records whose files are in the bundle.
    """
    found = {
        "tools": _filled(_TOOLS, keyid=statement.public_key.keyid, commitment=statement.commitment.hex()),
        "records": _RECORDS if opened else "",
        "originals": _ORIGINALS if originals else _NO_ORIGINALS,
        "commitment": "",
        "statement": _STATEMENT,
        "list": _LIST,
        "log": "",
        "token": "",
    }
    if opened:
        found["commitment"] = _filled(_COMMITMENT, size=opened[0].tree_size)
    size = _head(evidence)
    head = f"heads/{size}.tlog-proof"
    if size is not None:
        index = parse_tlog_proof(evidence.heads[size]).index
        found["log"] = _filled(_LOG, head=head, index=index, entries=size)
    if evidence.timestamps:
        token = parse_token(parse_response(evidence.timestamps[0][0]))
        found["token"] = _filled(_TIME_STAMP, head=head, time=token.at)
    return {name: _indented(text) for name, text in found.items()}


def _head(evidence: Evidence) -> int | None:
    """The tree size of the head that the first token is over; without a token, of the smallest."""
    if evidence.timestamps:
        return parse_checkpoint(evidence.timestamps[0][1]).size
    return min(evidence.heads, default=None)


def _filled(text: str, **values: object) -> str:
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    return text


def _indented(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.strip("\n").split("\n")) if text else ""
