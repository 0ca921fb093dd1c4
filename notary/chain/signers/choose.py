"""From the table `[signer]` of notary.toml to a signer.

    [signer]
    kind = "pkcs11"
    module = "/usr/lib/softhsm/libsofthsm2.so"
    token = "mizheng"                   # label of the token
    key = "publisher"                   # label of the key pair in it
    pin_file = "/etc/mizheng/pin"       # 0600; else MIZHENG_SIGNER_PIN

Without the table the key is in `keys/publisher.key`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mizheng.notary.chain.signers.interface import Signer
from mizheng.notary.chain.signers.keyfile import KeyFileSigner
from mizheng.notary.errors import ConfigurationError

_KEYS = ("kind", "module", "token", "key", "pin_file")


def open_signer(table: Mapping[str, object] | None, key_path: Path, pin: str | None = None) -> Signer:
    """The signer that the table asks for; ConfigurationError names what is wrong, never the PIN."""
    if not table:
        return KeyFileSigner.load_or_create(key_path)
    for name, value in table.items():
        if name not in _KEYS or not isinstance(value, str):
            raise ConfigurationError("notary.toml: {key} in [signer] is not known, or not a string", key=name)
    if table.get("kind") != "pkcs11":
        raise ConfigurationError(
            "notary.toml: kind in [signer] must be pkcs11",
            hint="without the table, the key is in keys/publisher.key",
        )
    for name in ("module", "token", "key"):
        if name not in table:
            raise ConfigurationError("notary.toml: {key} is missing in [signer]", key=name)
    from mizheng.notary.chain.signers.pkcs11 import KeyPlace, Pkcs11Signer

    found = _read_pin(Path(str(table["pin_file"]))) if "pin_file" in table else pin
    if not found:
        raise ConfigurationError(
            "the security module's PIN is not given",
            hint="pin_file in [signer] of notary.toml, or MIZHENG_SIGNER_PIN",
        )
    return Pkcs11Signer(KeyPlace(str(table["module"]), str(table["token"]), str(table["key"]), found))


def _read_pin(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError("{path} cannot be read", path=path) from None
    if mode & 0o077:
        raise ConfigurationError(
            "others may read the security module's PIN in {path}", hint="chmod 600 {path}", path=path
        )
    return text.strip()
