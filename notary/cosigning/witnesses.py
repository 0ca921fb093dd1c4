"""Witnesses, as the log sees them: which ones are configured, and how one is asked (C2SP tlog-witness).

In notary.toml, or in a file that the setting `witness_policy` names, a C2SP tlog-policy whose URLs are the
witnesses' submission prefixes:

    [witnesses]
    policy = \"\"\"
    witness east east.example/w+7c1d08e5+BAxn… https://witness.east.example
    witness west west.example/w+0b2a9c44+BJp7… https://witness.west.example
    group both all east west
    quorum both
    \"\"\"
    wait = 10
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from mizheng.notary.config import Settings
from mizheng.notary.errors import ConfigurationError
from mizheng.notary.instance import Instance
from mizheng.verifier.cosignature import WitnessKey
from mizheng.verifier.errors import MizhengError, SignatureError
from mizheng.verifier.note import parse_note
from mizheng.verifier.policy import Policy, parse_policy
from mizheng.verifier.witnessing import (
    MAX_ANSWER_BYTES,
    SIZE_MEDIA_TYPE,
    AddCheckpoint,
    parse_size_answer,
    take_cosignature,
)

# Longer than a witness across the world needs, shorter than a head is waited for.
TIMEOUT_SECONDS = 5.0
DEFAULT_WAIT = 10.0
# The column that holds it; a name is an address without its scheme.
MAX_VKEY = 512
# What a witness may say about when to ask again.
_MAX_RETRY_AFTER = 600


class WitnessError(MizhengError):
    """A witness did not cosign; `code` is one of `STATES`."""

    def __init__(self, code: str, message: str, *, retry_after: int = 0, **values: object) -> None:
        super().__init__(message, "", **values)
        self.code = code
        self.retry_after = retry_after


class SizeConflict(Exception):
    """409: the witness cosigned another size last than it was told."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size


STATES = {
    "ok": "it cosigned what it was asked last",
    "unreachable": "no answer, or none in time",
    "log-unknown": "404: it was not told to watch this log",
    "signature-refused": "403: it knows another key of this log",
    "request-refused": "400 or an answer that the protocol does not have",
    "rate-limited": "429",
    "failing": "5xx",
    "broken-answer": "what it sent is no cosignature of its key",
    "proof-refused": "422: it says that the log does not extend what it cosigned",
    "conflict": "409 for its own size: it has another root for it",
    "ahead": "it cosigned a larger head than this log has",
}
"""Append-only. The last three say that somebody has seen another history of this log."""


@dataclass(frozen=True, slots=True)
class WitnessPeer:
    """A witness that this notary asks."""

    name: str
    """As the policy names it."""
    key: WitnessKey
    url: str
    """Submission prefix, without a slash at the end."""


@dataclass(frozen=True, slots=True)
class WitnessSetup:
    """Whom to ask, whose word makes a quorum, and how long a head waits for it."""

    policy: Policy
    peers: tuple[WitnessPeer, ...]
    wait: float
    """Seconds."""

    def exported(self) -> Policy:
        """The policy as others are told it: no addresses, no logs, no remarks."""
        lines = [f"witness {peer.name} {peer.key.vkey}" for peer in self.peers]
        for name, group in self.policy.groups.items():
            lines.append(f"group {name} {group.threshold} {' '.join(group.members)}")
        lines.append(f"quorum {self.policy.quorum}")
        return parse_policy("\n".join(lines) + "\n")


def load_witnesses(settings: Settings, own: Collection[str]) -> WitnessSetup | None:
    """The configured witnesses; None if there are none. `own`: ids of keys that must not be a witness's."""
    text = _policy_text(settings)
    if text is None:
        return None
    try:
        policy = parse_policy(text)
    except MizhengError as error:
        raise ConfigurationError("the witness policy cannot be used: {reason}", reason=error) from None
    urls = _urls(text)
    peers = []
    for name, key in policy.witnesses.items():
        if key.key.keyid in own:
            raise ConfigurationError(
                "the notary itself holds the key of the witness {name}",
                hint="a witness must be somebody else's",
                name=name,
            )
        if len(key.vkey) > MAX_VKEY:
            raise ConfigurationError("the name of the witness {name} is too long", name=name)
        url = urls[name]
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            raise ConfigurationError(
                "the witness {name} has no address to be asked at",
                hint="put its submission prefix, http://… or https://…, at the end of its line",
                name=name,
            )
        peers.append(WitnessPeer(name, key, url.rstrip("/")))
    return WitnessSetup(policy, tuple(peers), _wait(settings))


def own_keyids(instance: Instance) -> set[str]:
    """Ids of the keys that the notary signs with."""
    return {instance.keys.log.public.keyid, instance.keys.issuer.public.keyid}


def ask_witness(client: httpx.Client, peer: WitnessPeer, request: AddCheckpoint) -> tuple[bytes, int]:
    """The witness's signature line over the checkpoint, checked, and its time.

    WitnessError if there is none, SizeConflict when it answers that another size was its last.
    """
    answer, body = _post(client, peer, request)
    status = answer.status_code
    if status == 200:
        try:
            return take_cosignature(body, parse_note(request.note).text, peer.key)
        except (MizhengError, SignatureError):
            raise WitnessError("broken-answer", "the witness's answer does not check") from None
    if status == 409 and answer.headers.get("content-type", "") == SIZE_MEDIA_TYPE:
        try:
            size = parse_size_answer(body)
        except MizhengError:
            raise WitnessError("broken-answer", "the witness's answer does not check") from None
        if size != request.old_size:
            raise SizeConflict(size)
    code = {
        403: "signature-refused",
        404: "log-unknown",
        409: "conflict",
        422: "proof-refused",
        429: "rate-limited",
    }.get(status, "failing" if status >= 500 else "request-refused")
    raise WitnessError(
        code,
        "the witness does not cosign ({status})",
        retry_after=_retry_after(answer) if status in (429, 503) else 0,
        status=status,
    )


def _post(client: httpx.Client, peer: WitnessPeer, request: AddCheckpoint) -> tuple[httpx.Response, bytes]:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    headers = {"Content-Type": "text/plain; charset=utf-8"}
    body = b""
    try:
        with client.stream(
            "POST", f"{peer.url}/add-checkpoint", content=request.dump(), headers=headers
        ) as answer:
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > MAX_ANSWER_BYTES:
                    raise WitnessError("broken-answer", "the witness's answer is too long")
                if time.monotonic() > deadline:
                    raise WitnessError("unreachable", "the witness answers too slowly")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise WitnessError(
            "unreachable", "the witness does not answer ({kind})", kind=type(error).__name__
        ) from None
    return answer, body


def _retry_after(answer: httpx.Response) -> int:
    text = answer.headers.get("retry-after", "")
    # Dates are left aside: whoever wants to be asked later says so again.
    return min(int(text), _MAX_RETRY_AFTER) if re.fullmatch("[0-9]{1,6}", text) else 0


def _policy_text(settings: Settings) -> str | None:
    table = settings.witnesses
    if set(table) - {"policy", "wait"}:
        raise ConfigurationError("notary.toml: [witnesses] has policy and wait, nothing else")
    if settings.witness_policy is not None:
        # Beside notary.toml, unless the path says otherwise.
        path = settings.data_dir / Path(settings.witness_policy).expanduser()
        try:
            return path.read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            raise ConfigurationError("the witness policy {path} cannot be read", path=path) from None
    text = table.get("policy")
    if text is None and not table:
        return None
    if not isinstance(text, str):
        raise ConfigurationError(
            "notary.toml: [witnesses] has no policy",
            hint="policy is the text of a C2SP tlog-policy; or name a file with witness_policy",
        )
    return text


def _wait(settings: Settings) -> float:
    value = settings.witnesses.get("wait", DEFAULT_WAIT)
    # An hour: longer than that, anchors would rather come without cosignatures.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 3600:
        raise ConfigurationError(
            "notary.toml: wait of [witnesses] is no time", hint="seconds, from 0 to 3600"
        )
    return float(value)


def _urls(text: str) -> dict[str, str]:
    """Addresses by the witnesses' names, of a policy that has been parsed."""
    lines = [[word for word in re.split(r"[ \t]+", line) if word] for line in text.split("\n")]
    return {words[1]: words[3] if len(words) > 3 else "" for words in lines if words[:1] == ["witness"]}
