"""The notary's own signing keys, as files that only its account can read.

`log.pem` signs checkpoints, `issuer.pem` signs enrolments, revocations and key statuses. Both are Ed25519,
PKCS#8 without a passphrase, so that the service can start unattended.
"""

import errno
import os
from dataclasses import dataclass
from pathlib import Path

from mizheng.notary.errors import ConfigurationError
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.signature import PrivateKey, PublicKey

# Public: every key of the log, a vkey a line, the present one last. Where it stands, a log was begun.
LOG_VKEYS = "log.vkey"
# Public: the issuer's keys before the present one, as earlier releases kept them beside the database: Base64
# SPKI, a line each, the oldest first.
EARLIER_ISSUERS = "issuers.pub"


@dataclass(frozen=True, slots=True)
class NotaryKeys:
    """The keys the notary signs with."""

    log: PrivateKey
    issuer: PrivateKey


def load_keys(keys_dir: Path) -> NotaryKeys:
    """The keys of an existing notary; ConfigurationError when one is missing, unreadable or open to
    others.
    """
    return NotaryKeys(load_key(keys_dir / "log.pem"), load_key(keys_dir / "issuer.pem"))


def create_keys(keys_dir: Path) -> NotaryKeys:
    """Load the keys, making those that do not exist yet."""
    keys_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("log.pem", "issuer.pem"):
        if not (keys_dir / name).exists():
            write_secret(keys_dir / name, PrivateKey.generate("ed25519").to_pem())
    return load_keys(keys_dir)


# A key takes another one's place in three steps, so that dying between any two of them loses neither: the
# new one is written beside the old one, the database is told, the file is replaced. What the database says
# counts.


def prepare_key(path: Path) -> PrivateKey:
    """The key that is to take the place of the one in `path`, made unless an interrupted run has made it."""
    coming = _coming(path)
    if not coming.exists():
        write_secret(coming, PrivateKey.generate("ed25519").to_pem())
        sync_folder(path.parent)
    return load_key(coming)


def find_prepared(path: Path) -> PrivateKey | None:
    """The prepared key, if there is one."""
    return load_key(_coming(path)) if _coming(path).exists() else None


def adopt_key(path: Path) -> None:
    """Put the prepared key in the place of the one in `path`, whose private part is gone afterwards: there is
    nothing that would have to be signed with it. Dying in here, the prepared key is still there.
    """
    replace_private(path, _coming(path).read_bytes())


def forget_prepared(path: Path) -> None:
    """The change of key is over."""
    coming = _coming(path)
    # Whoever died while writing it may have left it under its first name, too.
    coming.with_name(coming.name + ".new").unlink(missing_ok=True)
    coming.unlink(missing_ok=True)
    sync_folder(path.parent)


def _coming(path: Path) -> Path:
    return path.with_name(path.name + ".coming")


def load_earlier_issuers(keys_dir: Path) -> list[PublicKey]:
    """The issuer's keys before the present one; ConfigurationError if the file is damaged."""
    path = keys_dir / EARLIER_ISSUERS
    try:
        return [PublicKey.from_base64(line) for line in path.read_text("ascii").splitlines()]
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError, MizhengError):
        raise ConfigurationError("{path} cannot be read", path=path) from None


def replace_private(path: Path, data: bytes) -> None:
    """Write a private file whole or not at all, in the place of what is there."""
    draft = path.with_name(path.name + ".next")
    draft.unlink(missing_ok=True)
    write_secret(draft, data)
    draft.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make new names in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_secret(path: Path, data: bytes) -> None:
    """Write a file that is 0600 from its first byte on and either complete or absent; it must not exist.

    It has no name until it is whole, so that dying here leaves no secret behind.
    """
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        handle = _open_nameless(path.parent)
        if handle is None:
            _write_beside(path, data)
            return
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            # With a folder's handle Python asks for linkat, which follows this link to the file (open(2)).
            os.link(f"/proc/self/fd/{file.fileno()}", path, src_dir_fd=folder, follow_symlinks=True)
    finally:
        os.close(folder)


def _open_nameless(folder: Path) -> int | None:
    """A file without a name; None where system or file system has no such thing."""
    flag = getattr(os, "O_TMPFILE", None)
    if flag is None or not Path("/proc/self/fd").is_dir():
        return None
    try:
        return os.open(folder, os.O_WRONLY | flag, 0o600)
    except OSError as error:
        # What open(2) names for it, and what kernels before 3.11 say.
        if error.errno in (errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT):
            return None
        raise


def _write_beside(path: Path, data: bytes) -> None:
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    # Dying here leaves a draft that the next writer throws away: nothing was signed with it.
    os.link(draft, path)
    draft.unlink()


def load_key(path: Path) -> PrivateKey:
    """A private key of the notary; ConfigurationError when it is missing, unreadable or open to others."""
    try:
        mode = path.stat().st_mode
        pem = path.read_bytes()
    except FileNotFoundError:
        raise ConfigurationError(
            "the notary's key {path} is missing",
            hint="restore it from your backup; a new key cannot go on with this log",
            path=path,
        ) from None
    except OSError:
        raise ConfigurationError("the notary's key {path} cannot be read", path=path) from None
    if mode & 0o077:
        raise ConfigurationError(
            "the notary's key {path} is open to other accounts", hint="run: chmod 600 {path}", path=path
        )
    try:
        return PrivateKey.from_pem(pem)
    except MizhengError:
        raise ConfigurationError("the notary's key {path} is not a key in PKCS#8 PEM", path=path) from None
