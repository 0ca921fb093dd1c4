"""`mizheng-notary witness`: key and state are made together, and never one without the other again."""

import hashlib
import logging
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mizheng.notary.errors import ConfigurationError
from mizheng.notary.keys.files import write_secret
from mizheng.notary.witness.misbehaviour import Misbehaviour
from mizheng.notary.witness.state import WitnessState
from mizheng.notary.witness.witness import Witness
from mizheng.verifier.cosignature import WitnessSigner
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.note import NoteVerifier
from mizheng.verifier.signature import PrivateKey

# At once; more are answered 503. A head is judged in a millisecond, and logs ask once a second at most.
MAX_REQUESTS = 256


def run_witness(
    listen: str,
    vkeys: Sequence[str],
    key_path: Path,
    state_path: Path | None = None,
    name: str | None = None,
    *,
    announce: Callable[[Mapping[str, str]], None] = lambda _: None,
) -> None:
    """Serve cosignatures until told to stop.

    `announce` is called once, when it listens, with `vkey`, `url`, `key`, `state` and `misbehaviour`.
    """
    import uvicorn
    from mizheng.notary.witness.app import create_witness_app

    state_path = state_path or key_path.with_suffix(".db")
    evidence_path = state_path.with_suffix(".misbehaviour")
    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal():
        raise ConfigurationError("{listen} is not an address", hint="HOST:PORT", listen=listen)
    logs = [_log(vkey) for vkey in vkeys]
    signer, state = open_witness(key_path, state_path, logs, name)
    try:
        listener = socket.create_server((host.strip("[]"), int(port)))
    except (OSError, OverflowError) as error:
        raise ConfigurationError("cannot listen on {listen}: {reason}", listen=listen, reason=error) from None
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    announce(
        {
            "vkey": signer.witness.vkey,
            "url": "http://{}:{}".format(*listener.getsockname()[:2]),
            "key": str(key_path),
            "state": str(state_path),
            "misbehaviour": str(evidence_path),
        }
    )
    app = create_witness_app(Witness(signer, logs, state, Misbehaviour(evidence_path)))
    config = uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, limit_concurrency=MAX_REQUESTS
    )
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        state.close()


def open_witness(
    key_path: Path, state_path: Path, logs: Sequence[NoteVerifier], name: str | None = None
) -> tuple[WitnessSigner, WitnessState]:
    """Key and state of a witness, made if there is neither; ConfigurationError if one is missing."""
    if key_path.exists() and not state_path.exists():
        # Whoever forgets what he cosigned cosigns a fork as readily as anything.
        raise ConfigurationError(
            "the witness's state {path} is missing",
            hint="restore it; if it is lost, make a new key, and tell those who trust the old one",
            path=state_path,
        )
    # Dying after this line leaves a state without a key, which the next start takes up.
    state_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    state = WitnessState(state_path)
    key = load_or_create_witness_key(key_path)
    if any(log.key == key.public for log in logs):
        raise ConfigurationError(
            "the witness's key {path} is a log's key", hint="a witness has a key of its own", path=key_path
        )
    made = f"mizheng.invalid/witness/{hashlib.sha256(key.public.spki).hexdigest()[:16]}"
    signer = WitnessSigner(name or made, key)
    settled = state.claim(signer.witness.vkey)
    if settled != signer.witness.vkey:
        own = settled.partition("+")[0]
        if name is None and WitnessSigner(own, key).witness.vkey == settled:
            return WitnessSigner(own, key), state
        raise ConfigurationError(
            "the state {path} belongs to the witness {vkey}",
            hint="name and key of a witness are for good",
            path=state_path,
            vkey=settled,
        )
    return signer, state


def load_or_create_witness_key(path: Path) -> PrivateKey:
    """The witness's Ed25519 key in `path` (PKCS#8 PEM, 0600), made anew if there is none."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_secret(path, PrivateKey.generate("ed25519").to_pem())
    if path.stat().st_mode & 0o077:
        raise ConfigurationError(
            "the witness's key {path} is open to other accounts", hint="run: chmod 600 {path}", path=path
        )
    try:
        key = PrivateKey.from_pem(path.read_bytes())
    except MizhengError:
        raise ConfigurationError("the witness's key {path} is not a key in PKCS#8 PEM", path=path) from None
    if key.public.algorithm != "ed25519":
        raise ConfigurationError("the witness's key {path} is not an Ed25519 key", path=path)
    return key


def _log(vkey: str) -> NoteVerifier:
    try:
        return NoteVerifier.from_vkey(vkey)
    except MizhengError as error:
        raise ConfigurationError(
            "{vkey!r} is not a log's key: {reason}",
            hint="name+hash+key, as mizheng-notary status shows it",
            vkey=vkey,
            reason=error,
        ) from None
