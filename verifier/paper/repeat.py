"""How to repeat each check with stock tools: bash, coreutils, sed, curl, OpenSSL 3, poppler's pdfsig.

Commands run in a folder that the bundle was unpacked to, with the trust file beside as `../trust.toml`, after
the functions of `PREPARATION` were entered. What a check compares is printed; the reader compares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from .. import shell
from ..canonical import parse_instant
from ..members import (
    DISCLOSURE,
    DISCLOSURE_EVENT,
    DISCLOSURE_PROOF,
    DOCUMENT,
    ENROLMENT,
    KEY_STATUS,
    PAGE,
    PLATFORM,
    STATEMENT,
    SUPPLEMENTED,
    SUPPLEMENTED_PROOF,
)
from ..report import Check

PREPARATION = shell.functions()

Values = Mapping[str, Mapping[str, object]]
"""Code to the values of the check of that code which is about the same subject, or about the whole."""
_Maker = Callable[[str, Values], str]


def repeat_command(check: Check, checks: Iterable[Check]) -> str:
    """The commands for this check, lines of bash; empty where stock tools cannot do it."""
    maker = _COMMANDS.get(check.code)
    if maker is None:
        return ""
    near: dict[str, Mapping[str, object]] = {}
    for other in checks:
        if other.subject in ("", check.subject, STATEMENT) or other.code not in near:
            near[other.code] = other.values
    near[check.code] = check.values
    return maker(check.subject, near)


def _get(values: Values, code: str, key: str) -> str:
    """A value, or its name in capitals where a check that did not pass has none."""
    found = values.get(code, {}).get(key)
    return key.upper() if found is None else str(found)


def _hex(values: Values, code: str, key: str) -> str:
    found = values.get(code, {}).get(key)
    return hex(found) if isinstance(found, int) else key.upper()


def _by_own_key(subject: str, _: Values) -> str:
    return f"dsse {subject or DOCUMENT} $({shell.own_key()})"


def _by_signer(subject: str, _: Values) -> str:
    return (
        f"k=$(payload {subject} | field signer); grep -F -B 1 $k ../trust.toml\n"
        f"dsse {subject} $k; payload {subject}; echo"
    )


def _record(subject: str, values: Values) -> str:
    index, size = (_get(values, "record.inclusion", key) for key in ("index", "tree_size"))
    return f"""\
r=$({shell.record_root(subject, index, size)})
{shell.commitment(size, "$r")}
payload {STATEMENT} | field commitment"""


def _content(subject: str, _: Values) -> str:
    return f"{shell.record(subject)}; echo"


def _original(subject: str, _: Values) -> str:
    return f"sha256sum {_quote(subject)}; openssl dgst -sm3 {_quote(subject)}"


def _inclusion(subject: str, values: Values) -> str:
    index, size = (_get(values, "log.inclusion", key) for key in ("index", "size"))
    leaf = _get(values, "log.entry", "leaf_hash")
    return f"{shell.log_root(subject, index, size, leaf)}\n{shell.checkpoint_root(subject)}"


def _checkpoint(subject: str, values: Values) -> str:
    vkey = _get(values, "checkpoint.signature", "vkey")
    return f"note {subject} {vkey}; grep -c -F {vkey} ../trust.toml"


def _witnesses(subject: str, _: Values) -> str:
    # C2SP tlog-cosignature: of each line that a witness of the policy signed, 4 bytes of key id, 8 of time.
    return f"""\
sed -n 's/^witness \\([^ ]*\\) \\([^ ]*\\)$/\\1 \\2/p' ../trust.toml | while read w v; do
  s=$(grep "^— ${{v%%+*}} " {subject} | head -n 1 | cut -d' ' -f3 | base64 -d | tohex)
  [ "$s" ] || continue
  {{ echo 302a300506032b6570032100 | unhex; echo $v | cut -d+ -f3- | base64 -d | tail -c 32; }} > ../k
  {{ printf 'cosignature/v1\\ntime %d\\n' $((16#${{s:8:16}}))
    sed '1,/^$/d' {subject} | sed '/^$/,$d'; }} > ../m
  echo ${{s:24}} | unhex > ../s
  echo $w; openssl pkeyutl -verify -pubin -keyform DER -inkey ../k -rawin -in ../m -sigfile ../s
done
grep -e '^group ' -e '^quorum [^=]' ../trust.toml"""


def _token(subject: str, _: Values) -> str:
    return f"openssl ts -reply -in {subject} -text"


def _imprint(subject: str, _: Values) -> str:
    text = subject.removesuffix(".tsr") + ".txt"
    return f"openssl dgst -sha256 {text}; cat {text}"


def _authority(subject: str, values: Values) -> str:
    at = values.get("timestamp.token", {}).get("at")
    text = subject.removesuffix(".tsr") + ".txt"
    return shell.token(subject, text, "../trust.toml", "../roots.pem", parse_instant(str(at)) if at else None)


def _x509(_: str, values: Values) -> str:
    # Where nothing came of the check it has no time: the first token's is one at which a chain has to hold.
    at = next(
        (values[code]["at"] for code in ("depositor.x509", "token.valid") if "at" in values.get(code, {})),
        None,
    )
    return shell.x509_chain("../trust.toml", "..", parse_instant(str(at)) if at else None)


def _block(code: str) -> _Maker:
    return lambda _, values: (
        f"rpc eth_getBlockByNumber '[\"{_hex(values, code, 'number')}\",false]'\n"
        f"grep -n -F {_get(values, code, 'hash')} ../trust.toml"
    )


def _header(_: str, values: Values) -> str:
    return f"rpc eth_getBlockByHash '[\"0x{_get(values, 'anchor.header', 'hash')}\",false]'"


def _receipt(_: str, values: Values) -> str:
    block, index = _get(values, "anchor.header", "hash"), _hex(values, "anchor.receipt", "index")
    return f'rpc eth_getTransactionByBlockHashAndIndex \'["0x{block}","{index}"]\''


def _event(_: str, values: Values) -> str:
    block, contract = _get(values, "anchor.header", "hash"), _get(values, "anchor.event", "contract")
    return f'rpc eth_getLogs \'[{{"blockHash":"0x{block}","address":"0x{contract}"}}]\''


def _storage(_: str, values: Values) -> str:
    contract = _get(values, "anchor.contract", "contract")
    slot, number = _get(values, "anchor.storage", "slot"), _hex(values, "anchor.storage", "number")
    return f"""\
rpc eth_getStorageAt '["0x{contract}","0x{slot}","{number}"]'
rpc eth_getCode '["0x{contract}","{number}"]' \\
  | field result | sed 's/^0x//' | unhex | openssl dgst -keccak-256"""


def _contract(_: str, values: Values) -> str:
    return f"""\
rpc eth_chainId '[]'; rpc eth_getBlockByNumber '["0x0",false]'
grep -n -e chain_id -e genesis_hash -e {_get(values, "anchor.contract", "contract")} ../trust.toml"""


def _anchored_head(_: str, values: Values) -> str:
    size = _get(values, "anchor.checkpoint", "size")
    return shell.checkpoint_root(f"heads/{size}.tlog-proof")


def _link(subject: str, _: Values) -> str:
    return f"""\
digest < {SUPPLEMENTED}
{shell.record(subject)} | field envelope_sha256; echo
dsse {SUPPLEMENTED} $(payload {SUPPLEMENTED} | field public_key)
sed -n 2p {SUPPLEMENTED_PROOF}"""


def _recorded(document: str, event: str, proof: str) -> str:
    """A document's digest, that the event names it, who signed the event, and its place in the log."""
    leaf = f"$(printf '\\000mizheng/entry/v1\\nsha256 %s\\n' $(digest < {event}) | digest)"
    # Digits alone: bash runs what stands in brackets where it computes.
    numbers = (
        f"$(sed -n 's/^index \\([0-9]*\\)$/\\1/p' {proof}) "
        f"$(sed '1,/^$/d' {proof} | sed -n '2s/^\\([0-9]*\\)$/\\1/p')"
    )
    return f"""\
digest < {document}; payload {event} | field document_sha256; echo
dsse {event} $(payload {event} | field public_key)
{shell.log_root(proof, numbers, "", leaf)}
{shell.checkpoint_root(proof)}"""


def _disclosure(_: str, __: Values) -> str:
    own = f"dsse {DISCLOSURE} $({shell.own_key()}); payload {DISCLOSURE}; echo"
    return f"{own}\n{_recorded(DISCLOSURE, DISCLOSURE_EVENT, DISCLOSURE_PROOF)}"


def _custody_signatures(_: str, __: Values) -> str:
    # Two in a hand-over, the giver's and the taker's, in the order of their keys in the document.
    return r"""
for e in custody/*[0-9].dsse.json; do
  payload $e; echo
  paste <(payload $e | grep -o '"public_key":"[^"]*"' | field public_key) <(grep -o '{"keyid[^}]*}' $e) \
  | while read k s; do
    { sed 's/"signatures.*/"signatures":[/' $e; printf '%s]}' "$s"; } > ../one.json
    dsse ../one.json "$k"; done
done""".strip()


def _custody_chain(_: str, __: Values) -> str:
    return (
        "for e in custody/*[0-9].dsse.json; do digest < $e; payload $e | grep -o '\"previous\":[^,]*'; done"
    )


def _custody_log(_: str, __: Values) -> str:
    event, proof = "${e%.dsse.json}.event.dsse.json", "${e%.dsse.json}.tlog-proof"
    lines = _recorded("$e", event, proof).replace("\n", "\n  ")
    return f"for e in custody/*[0-9].dsse.json; do\n  {lines}; done"


def _custodians(_: str, __: Values) -> str:
    return r"""
for e in custody/*[0-9].dsse.json; do
  payload $e | grep -o '"public_key":"[^"]*"' | field public_key; done \
| sort -u | while read k; do echo "$k"; grep -F -B 1 -e "$k" ../trust.toml; done""".strip()


def _quote(name: str) -> str:
    return "'" + name.replace("'", "'\\''") + "'"


_COMMANDS: dict[str, _Maker] = {
    "trust.current": lambda _, __: "sha256sum ../trust.toml; grep -n expires_at ../trust.toml",
    "bundle.structure": lambda _, __: "unzip -t ../bundle.zip",
    "bundle.form": lambda _, __: "unzip -Z ../bundle.zip",
    "bundle.signature": _by_own_key,
    "bundle.members": lambda _, __: shell.members(),
    "envelope.signature": _by_own_key,
    "record.inclusion": _record,
    "record.content": _content,
    "original.match": _original,
    "log.entry": lambda _, __: shell.entry_leaf(),
    "log.inclusion": _inclusion,
    "checkpoint.signature": _checkpoint,
    "witness.quorum": _witnesses,
    "timestamp.token": _token,
    "timestamp.imprint": _imprint,
    "timestamp.authority": _authority,
    "token.valid": _authority,
    "anchor.header": _header,
    "anchor.receipt": _receipt,
    "anchor.event": _event,
    "anchor.storage": _storage,
    "anchor.contract": _contract,
    "anchor.checkpoint": _anchored_head,
    "anchor.canonical": _block("anchor.canonical"),
    "observation.signature": _by_signer,
    "beacon.block": _block("beacon.block"),
    "beacon.canonical": _block("beacon.canonical"),
    "depositor.enrolment": lambda _, __: _by_signer(ENROLMENT, {}),
    "depositor.key-status": lambda _, __: _by_signer(KEY_STATUS, {}),
    "depositor.x509": _x509,
    "supplement.link": _link,
    "platform.facts": lambda _, __: _by_signer(PLATFORM, {}),
    "disclosure.entry": _disclosure,
    "custody.chain": _custody_chain,
    "custody.signatures": _custody_signatures,
    "custody.log": _custody_log,
    "custody.custodians": _custodians,
    "page.digest": lambda _, __: f"sha256sum {PAGE}; grep -n -F $(digest < {PAGE}) ../trust.toml",
    "certificate.signature": lambda _, __: "pdfsig certificate.pdf",
    "exhibits.list": lambda _, __: "sha256sum exhibits.pdf; pdftotext -raw exhibits.pdf -",
}
