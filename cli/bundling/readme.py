"""README.txt of a bundle: what it is and how to check it, with this software and with stock tools.

In Chinese and English, whatever language the depositor's terminal speaks: it is read elsewhere.
"""

from __future__ import annotations

from mizheng.verifier.statement import STATEMENT_PAYLOAD_TYPE

_TEXT = """\
密证证据包
==========

本压缩包供核验两点：所披露的内容在某一时间之前是否已由存证人固定，此后是否未被更改。
能否成立，以核验结果为准，本说明不是结论。未披露的内容不在包内，也无法从中推知。

承诺值 {commitment}
披露的记录 {count} 条

一、用密证软件核验（不需要联网）

    mizheng verify 本文件.zip [原件…] --trust trust.toml

trust.toml 是信任文件，须由公证处、法院或存证服务经独立渠道另行提供，不得取自本包。
没有信任文件，结论只能是“无法确定”。

二、用通用工具核对（OpenSSL 3.0 及以上，sha256sum、sed、base64）

  1. 查看披露了什么（文件名、大小、SHA-256、SM3）：

{show}

  2. 计算文件的摘要，与上面的数值比对：

{digest}

  3. 核验存证人对声明的签名：

{signature}

  4. 计算日志条目。heads/ 内的证明从这一叶子值推至日志根：

{entry}

其余步骤（日志证明、区块、时间）见密证规范 docs/spec。


Mizheng evidence bundle
=======================

This ZIP lets anyone check whether the depositor had fixed what is opened here before a certain time,
and whether it is unchanged since. The result of checking says so or not; this text is no verdict.
What is not opened is not in the ZIP and cannot be guessed from it.

commitment {commitment}
opened records: {count}

A. With Mizheng (no network needed)

    mizheng verify THIS.zip [ORIGINAL…] --trust trust.toml

trust.toml, the trust file, has to reach you by another channel: from a notary office, a court or the
notary; never from this ZIP. Without it the verdict can only be "undetermined".

B. With stock tools (OpenSSL 3.0 or later, sha256sum, sed, base64): steps 1 to 4 above, in this order:
   what is opened; the digests of the file at hand; the depositor's signature over the statement;
   the log entry, whose leaf hash the proofs in heads/ lead up to the log's root.

The remaining steps (log proofs, blocks, times) are in the specification, docs/spec.
"""

_SHOW = """\
for r in records/*.json; do
  sed 's/.*"record":"\\([^"]*\\)".*/\\1/' "$r" | base64 -d; echo
done"""

_DIGEST = """\
sha256sum originals/* 2>/dev/null
for f in originals/*; do [ -f "$f" ] && openssl dgst -sm3 "$f"; done"""

_SIGNATURE = """\
t=$(mktemp -d); e=statement.dsse.json; k={payload_type}
sed 's/.*"payload":"\\([^"]*\\)".*/\\1/' $e | base64 -d > $t/statement
sed 's/.*"sig":"\\([^"]*\\)".*/\\1/' $e | base64 -d > $t/signature
sed 's/.*"public_key":"\\([^"]*\\)".*/\\1/' $t/statement | base64 -d > $t/key
(printf 'DSSEv1 %d %s %d ' ${{#k}} $k $(wc -c < $t/statement); cat $t/statement) > $t/signed
openssl pkeyutl -verify -pubin -keyform DER -inkey $t/key -rawin \\
  -in $t/signed -sigfile $t/signature"""

_ENTRY = """\
h=$(sha256sum < statement.dsse.json | cut -c 1-64)
printf '\\000mizheng/entry/v1\\nsha256 %s\\n' $h | sha256sum"""


def bundle_readme(commitment: str, count: int) -> str:
    """The text for a bundle that opens `count` records of this commitment (hex)."""
    return _TEXT.format(
        commitment=commitment,
        count=count,
        show=_indent(_SHOW),
        digest=_indent(_DIGEST),
        signature=_indent(_SIGNATURE.format(payload_type=STATEMENT_PAYLOAD_TYPE)),
        entry=_indent(_ENTRY),
    )


def _indent(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.split("\n"))
