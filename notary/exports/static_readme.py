"""What an export says about itself, in both languages: it must explain itself when nobody is there to ask."""

from typing import Final

README: Final = """\
密证存证日志：完整导出
======================

本目录是一份存证日志的全部公开内容，任何网页服务器都能原样提供，不再需要原来的公证服务。
其中没有任何商业秘密、信封、企业名称：日志的每一条只是一个摘要。

  checkpoint            最后一份签名检查点（C2SP tlog-checkpoint）
  tile/                 哈希树的分块与全部条目（C2SP tlog-tiles）
  checkpoints/<条数>    锚定过的检查点，含见证人的联署
  anchors/              上链证据，每份自带区块头与证明
  timestamps/           时间戳令牌（.tsr）、所盖文本（.txt）与续期证据记录（.ers）
  observations/         观察者对区块的签名陈述
  seals/                链上验证者对区块的签封
  beacons/              声明中引用过的区块头
  keys/                 日志与签发者的公钥
  v1/log-keys           日志密钥的历次更换
  trust.toml            信任文件。请以独立渠道核对其 SHA-256，不要只凭本目录相信它
  index.json            每个文件是什么，及其 SHA-256

核对整份日志：      mizheng audit 本目录或其网址 --trust trust.toml
核对一份证据包：    mizheng verify 证据包.zip --trust trust.toml（证据包自足，不需要本目录）


The log of a Mizheng notary: complete export
============================================

This directory is all that was public of one log. Any web server can serve it as it is; the notary that kept
it is not needed any more. There are no secrets, envelopes or names of companies in it: an entry is a digest.

  checkpoint            the last signed checkpoint (C2SP tlog-checkpoint)
  tile/                 tiles of the hash tree, and every entry (C2SP tlog-tiles)
  checkpoints/<size>    checkpoints that were anchored, with cosignatures of witnesses
  anchors/              evidence of anchors, each with its block header and proofs
  timestamps/           time-stamp tokens (.tsr) over texts (.txt), and what renewed them (.ers)
  observations/         what observers signed about blocks
  seals/                what the chain's validators sealed
  beacons/              block headers that statements name
  keys/                 public keys of the log and of the issuer
  v1/log-keys           every change of the log's key
  trust.toml            the trust file. Compare its SHA-256 by another channel; do not believe it from here
  index.json            what each file is, with its SHA-256

Check the whole log:  mizheng audit THIS-DIRECTORY-OR-ITS-URL --trust trust.toml
Check one bundle:     mizheng verify BUNDLE.zip --trust trust.toml   (a bundle needs nothing from here)
"""

# Append-only: a kind keeps its meaning.
KINDS: Final = {
    "checkpoint": {"zh": "最后一份签名检查点", "en": "the last signed checkpoint, C2SP tlog-checkpoint"},
    "tiles": {"zh": "哈希树分块", "en": "tiles of hashes, C2SP tlog-tiles"},
    "entries": {"zh": "日志条目", "en": "entry bundles, C2SP tlog-tiles"},
    "kept-checkpoint": {"zh": "锚定过的检查点", "en": "an anchored checkpoint, with its cosignatures"},
    "anchor": {"zh": "上链证据", "en": "anchor evidence, mizheng/anchor/v1"},
    "observation": {
        "zh": "观察者的区块陈述",
        "en": "an observer's statement, mizheng/observation/v1",
    },
    "time-stamp": {"zh": "时间戳令牌", "en": "a time-stamp token, TimeStampResp of RFC 3161"},
    "stamped-text": {"zh": "所盖时间戳的文本", "en": "what a time-stamp token is over: a checkpoint's text"},
    "evidence-record": {
        "zh": "续期证据记录",
        "en": "what renewed a time-stamp token, EvidenceRecord of RFC 4998",
    },
    "beacon": {"zh": "声明引用的区块头", "en": "header of a block that statements name, mizheng/beacon/v1"},
    "log-keys": {"zh": "日志公钥（vkey）", "en": "the log's keys, a vkey a line, the first one first"},
    "log-key-changes": {
        "zh": "日志密钥的历次更换及其证明",
        "en": "changes of the log's key, with proofs, mizheng/log-keys/v1",
    },
    "issuer-key": {"zh": "签发者公钥", "en": "an issuer's public key, PEM"},
    "trust": {"zh": "信任文件", "en": "trust file, mizheng/trust/v1"},
    "readme": {"zh": "说明", "en": "what this is"},
}
