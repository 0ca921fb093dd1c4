"""Checking a bundle with stock tools: the commands that its README.txt prints, filled with its own values.

They are for bash with openssl 3, sha256sum, base64, sed, od and cut, in the folder that the ZIP was unpacked
to. Each ends in `same`, which says whether two values agree and fails where they do not; so all of them
together, run with `bash -e`, succeed only if every step does.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from mizheng.verifier.bundle import BUNDLE_PAYLOAD_TYPE
from mizheng.verifier.bundlewriting import Evidence
from mizheng.verifier.checkpoint import parse_checkpoint, parse_tlog_proof
from mizheng.verifier.manifest import OpenedRecord
from mizheng.verifier.statement import STATEMENT_PAYLOAD_TYPE, Statement
from mizheng.verifier.timestamp.token import parse_response, parse_token

_TOOLS = r"""
k=@keyid@
m=@commitment@
t=$(mktemp -d)
digest() { sha256sum | cut -c 1-64; }
bytes() { for x; do printf "$(printf %s "$x" | sed 's/../\\x&/g')"; done; }
field() { sed 's/.*"'$1'":"\([^"]*\)".*/\1/'; }
same() { if [ "$1" = "$2" ]; then echo "OK $3"; else echo "WRONG $3"; false; fi; }
signed() {
  field payload < $1 | base64 -d > $t/payload
  field sig < $1 | base64 -d > $t/signature
  (printf 'DSSEv1 %d %s %d ' ${#2} $2 $(wc -c < $t/payload); cat $t/payload) > $t/signed
  openssl pkeyutl -verify -pubin -keyform DER -inkey $t/key -rawin \
    -in $t/signed -sigfile $t/signature
}
"""

_RECORDS = r"""
for r in records/*.json; do field record < $r | base64 -d > $t/${r##*/}; done
for r in $t/*.json; do cat $r; echo; done
"""

_ORIGINALS = r"""
for f in originals/*; do
  r=$t/${f##*/}.json
  same $(digest < $f) $(field sha256 < $r) "$f SHA-256"
  same $(openssl dgst -sm3 -r $f | cut -c 1-64) $(field sm3 < $r) "$f SM3"
done
"""

_NO_ORIGINALS = r"""
sha256sum FILE
openssl dgst -sm3 FILE
"""

_COMMITMENT = r"""
for r in records/*.json; do
  n=$( (bytes 00; cat $t/${r##*/}) | digest )
  i=$(sed 's/.*"index":\([0-9]*\).*/\1/' $r)
  for s in $(sed 's/.*"hashes":\[\([^]]*\)\].*/\1/' $r | tr -d '"' | tr ',' ' '); do
    if [ $((i % 2)) = 0 ]; then n=$(bytes 01 $n $s | digest)
    else n=$(bytes 01 $s $n | digest); fi
    i=$((i / 2))
  done
  c=$( (printf 'mizheng/manifest/v1\n'; bytes $k @size@ $n) | digest )
  same $c $m "$r"
done
"""

_STATEMENT = r"""
e=statement.dsse.json
field payload < $e | base64 -d > $t/statement
field public_key < $t/statement | base64 -d > $t/key
same $(digest < $t/key) $k "the depositor's key"
same $(field commitment < $t/statement) $m "the commitment in the statement"
signed $e @type@
"""

_LIST = r"""
signed bundle.dsse.json @type@
same $(field envelope_sha256 < $t/payload) $(digest < $e) "whose list it is"
sed 's/.*"members":{\([^}]*\)}.*/\1/' $t/payload | tr ',' '\n' |
  sed 's/"\(.*\)":"\(.*\)"/\2  \1/' | sha256sum -c
"""

_LOG = r"""
p=@head@ i=@index@ l=@last@
n=$( (bytes 00; printf 'mizheng/entry/v1\nsha256 %s\n' $(digest < $e)) | digest )
for b in $(sed -n '3,/^$/p' $p); do
  s=$(echo $b | base64 -d | od -An -v -tx1 | tr -d ' \n')
  if [ $((i % 2)) = 1 ] || [ $i = $l ]; then
    n=$(bytes 01 $s $n | digest)
    while [ $((i % 2)) = 0 ] && [ $i != 0 ]; do i=$((i / 2)); l=$((l / 2)); done
  else n=$(bytes 01 $n $s | digest); fi
  i=$((i / 2)); l=$((l / 2))
done
sed '1,/^$/d' $p | sed '/^$/,$d' > $t/checkpoint
same $(bytes $n | base64) $(sed -n 3p $t/checkpoint) "the log's root, of @entries@ entries"
"""

_TIME_STAMP = r"""
same $(digest < timestamps/0001.txt) $(digest < $t/checkpoint) "what the token is over"
sed -n '/^roots = \[/,/^\]/s/^  "\(.*\)",$/\1/p' trust.toml | while read -r r; do
  echo $r | base64 -d | openssl x509 -inform DER; done > $t/roots.pem
openssl ts -verify -in timestamps/0001.tsr -data timestamps/0001.txt \
  -CAfile $t/roots.pem -attime @time@
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
        "statement": _filled(_STATEMENT, type=STATEMENT_PAYLOAD_TYPE),
        "list": _filled(_LIST, type=BUNDLE_PAYLOAD_TYPE),
        "log": "",
        "token": "",
    }
    if opened:
        size = opened[0].tree_size.to_bytes(8, "big").hex()
        found["commitment"] = _filled(_COMMITMENT, size=size)
    size_of_head = _head(evidence)
    if size_of_head is not None:
        proof = parse_tlog_proof(evidence.heads[size_of_head])
        found["log"] = _filled(
            _LOG,
            head=f"heads/{size_of_head}.tlog-proof",
            index=proof.index,
            last=size_of_head - 1,
            entries=size_of_head,
        )
    if evidence.timestamps:
        token = parse_token(parse_response(evidence.timestamps[0][0]))
        found["token"] = _filled(_TIME_STAMP, time=token.at)
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
