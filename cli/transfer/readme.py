"""README.txt of a transfer, for whoever decrypted it with stock age, in Chinese and English."""

from __future__ import annotations

from collections.abc import Sequence

from mizheng.cli.transfer.documents import BUNDLE_MEMBER, Sent

_TEXT = """\
密证传递
========

本压缩包由 age 加密传递给一位接收方。transfer.dsse.json 是发送方签名的传递单，写明给谁、案号、用途、
期限，以及下列每个文件的名称、大小和 SHA-256。各文件在包内的名称与原名：

{names}

{member} 是证据包，解开后内有说明和核验页面。用密证软件接收（核对、验签、签收）：

    mizheng receive 收到的文件 --trust trust.toml

只用通用工具时，核对摘要（每行应显示 OK）：

{sums}

用通用工具解密不等于签收；对传递单签名的核对见密证规范 docs/spec/transfer.md。


Mizheng transfer
================

This ZIP was encrypted with age to one recipient. transfer.dsse.json is signed by the sender: for whom, in
which matter, for what, until when, and name, size and SHA-256 of each file, listed above beside its name in
this ZIP.
{member} is the evidence bundle, which has a README of its own.

With Mizheng, to check, verify and accept:  mizheng receive FILE --trust trust.toml
With stock tools, to compare digests: the commands above; each line says OK.
Decrypting with stock tools accepts nothing.
"""


def transfer_readme(files: Sequence[Sent]) -> bytes:
    """The same text for the same files."""
    members = [BUNDLE_MEMBER if place == 0 else f"files/{place:04}" for place in range(len(files))]
    pairs = list(zip(members, files, strict=True))
    return _TEXT.format(
        member=BUNDLE_MEMBER,
        names="\n".join(f"    {member}    {item.name}" for member, item in pairs),
        sums="\n".join(f"    echo '{item.sha256}  {member}' | sha256sum -c" for member, item in pairs),
    ).encode()
