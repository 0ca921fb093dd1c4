"""Checks of a bundle as lines of bash with stock tools: README.txt and the report print the same.

They run in the folder that a bundle was unpacked to, after the functions they use were entered, and need
bash, coreutils, sed and OpenSSL 3. `prove` is RFC 9162 §2.1.3.2; `dsse` and `note` check signatures.
Arguments go into the lines as they stand.
"""

from __future__ import annotations

from .members import DOCUMENT, STATEMENT

_FUNCTIONS = {
    "unhex": r"""unhex() { printf %b "$(sed 's/../\\x&/g')"; }""",
    "tohex": r"""tohex() { od -An -v -tx1 | tr -d ' \n'; }""",
    "digest": r"""digest() { sha256sum | cut -c 1-64; }""",
    "field": r"""field() { sed 's/.*"'$1'":"\([^"]*\)".*/\1/'; }""",
    "payload": r"""payload() { field payload < $1 | base64 -d; }""",
    "node": r"""node() { { printf '\001'; printf %s $1$2 | unhex; } | digest; }""",
    "prove": r"""prove() { # INDEX SIZE LEAF HASH...
  local f=$1 s=$(($2-1)) r=$3 h; shift 3
  for h; do
    if [ $((f&1)) = 1 ] || [ $f = $s ]; then
      r=$(node $h $r)
      while [ $((f&1)) = 0 ] && [ $f != 0 ]; do f=$((f>>1)) s=$((s>>1)); done
    else r=$(node $r $h); fi
    f=$((f>>1)) s=$((s>>1))
  done
  [ $s = 0 ] && echo $r
}""",
    "dsse": r"""dsse() { # FILE KEY
  local t=$(mktemp -d) y=$(field payloadType < $1)
  payload $1 > $t/p; field sig < $1 | base64 -d > $t/s; echo $2 | base64 -d > $t/k
  { printf 'DSSEv1 %d %s %d ' ${#y} $y $(wc -c < $t/p); cat $t/p; } > $t/m
  openssl pkeyutl -verify -pubin -keyform DER -inkey $t/k -rawin -in $t/m -sigfile $t/s
}""",
    "note": r"""note() { # PROOF VKEY
  local t=$(mktemp -d)
  sed '1,/^$/d' $1 > $t/n; sed '/^$/,$d' $t/n > $t/m
  { echo 302a300506032b6570032100 | unhex; echo $2 | cut -d+ -f3- | base64 -d | tail -c 32; } > $t/k
  grep "^— ${2%%+*} " $t/n | head -n 1 | cut -d' ' -f3 | base64 -d | tail -c 64 > $t/s
  openssl pkeyutl -verify -pubin -keyform DER -inkey $t/k -rawin -in $t/m -sigfile $t/s
}""",
    "rpc": r"""rpc() { # METHOD PARAMETERS; NODE is the address of a node of your choice
  curl -s -H 'content-type: application/json' $NODE \
    -d '{"jsonrpc":"2.0","id":1,"method":"'$1'","params":'$2'}'; echo
}""",
}


def functions(*names: str) -> str:
    """Their definitions; without names all of them."""
    return "\n".join(_FUNCTIONS[name] for name in names or _FUNCTIONS)


def own_key() -> str:
    """Prints the depositor's public key, Base64, as the statement names it."""
    return f"payload {STATEMENT} | field public_key"


def record(file: str) -> str:
    """Prints a record's bytes."""
    return f"field record < {file} | base64 -d"


def record_root(file: str, index: object, size: object) -> str:
    """Prints the root of the manifest's tree, from an opened record and its proof."""
    return (
        f"prove {index} {size} $({{ printf '\\000'; {record(file)}; }} | digest) \\\n"
        f"""  $(sed 's/.*"hashes":\\[\\([^]]*\\)\\].*/\\1/' {file} | tr '",' '  ')"""
    )


def commitment(size: object, root: str) -> str:
    """Prints the commitment to a tree of this size and root by the depositor's key."""
    return f"""\
{{ printf 'mizheng/manifest/v1\\n'
  {own_key()} | base64 -d | openssl dgst -sha256 -binary
  printf %016x {size} | unhex; printf %s {root} | unhex; }} | digest"""


def members() -> str:
    """Compares every member of the depositor's list with its digest."""
    return (
        f"payload {DOCUMENT} | tr '{{,' '\\n' \\\n"
        """| sed -n 's/^"\\([^"]*[./][^"]*\\)":"\\([0-9a-f]\\{64\\}\\)"}*$/\\2  \\1/p' | sha256sum -c"""
    )


def entry_leaf() -> str:
    """Prints the leaf hash of the log's entry, from the statement's envelope."""
    return f"printf '\\000mizheng/entry/v1\\nsha256 %s\\n' $(digest < {STATEMENT}) | digest"


def log_root(file: str, index: object, size: object, leaf: str) -> str:
    """Prints the log's root, from a leaf and its proof."""
    return f"""\
prove {index} {size} {leaf} \\
  $(sed '/^$/,$d; 1d; /^index /d; /^extra /d' {file} \\
    | while read h; do echo $h | base64 -d | tohex; echo; done)"""


def checkpoint_root(file: str) -> str:
    """Prints the root that the checkpoint of a proof states."""
    return f"sed '1,/^$/d' {file} | sed -n 3p | base64 -d | tohex"


def token(file: str, text: str, trust: str, roots: str, at: object) -> str:
    """Checks a time-stamp token by the trust file's roots, which are written to `roots`, at so many seconds
    since 1970.
    """
    return f"""\
{trusted_roots(trust, "tsas", roots)}
openssl ts -verify -in {file} -data {text} -CAfile {roots}{_at(at)}"""


def x509_chain(trust: str, folder: str, at: object) -> str:
    """Prints the first certificate of a bundle and checks its chain by the trust file's roots, at so many
    seconds since 1970; then the revocation lists, each with whether a certificate of that chain signed it.
    """
    # Else the machine's own roots are believed, too.
    alone = "-no-CApath -no-CAstore"
    when = " -attime AT" if at is None else _at(at)
    return f"""\
{trusted_roots(trust, "cas", f"{folder}/roots.pem")}
for f in x509/*.der; do openssl x509 -inform DER -in $f 2> {folder}/e; done > {folder}/chain.pem
check() {{
  openssl verify {alone} -partial_chain{when} -CAfile {folder}/roots.pem -untrusted {folder}/chain.pem $1; }}
openssl x509 -in {folder}/chain.pem -noout -subject -nameopt utf8,esc_ctrl -serial -dates
openssl x509 -in {folder}/chain.pem -noout -pubkey | openssl pkey -pubin -outform DER | digest
check {folder}/chain.pem
cp {folder}/roots.pem {folder}/good.pem
for f in x509/*.der; do
  openssl x509 -inform DER -in $f -out {folder}/c.pem 2> {folder}/e || continue
  check {folder}/c.pem > {folder}/e 2>&1 && cat {folder}/c.pem >> {folder}/good.pem; done
for f in x509/*.der; do
  openssl crl -inform DER -in $f -noout -text -nameopt utf8,esc_ctrl {alone} -CAfile {folder}/good.pem 2>&1 |
  grep -e verify -e Issuer -e Update -e Number: -e Date -e Reason -A 1; done"""


def trusted_roots(trust: str, table: str, roots: str) -> str:
    """Writes the root certificates of these tables of a trust file to `roots`, in PEM."""
    # Behind each line stands the table that it is in. Policies and digests are shorter than certificates.
    certificate = r'"\([^".]\{100,\}\)"'
    return f"""\
sed -n '/^\\[/h;G;/\\n\\[\\[{table}\\]\\]$/s/^\\(roots = \\[\\)* *{certificate}[],]*\\n.*$/\\2/p' {trust} |
while read c; do echo $c | base64 -d | openssl x509 -inform DER; done > {roots}"""


def _at(at: object) -> str:
    return "" if at is None else f" -attime {at}"
