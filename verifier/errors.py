"""Every error the verifier raises, drawn once.

    MizhengError            what a person sees: `error:` message, `hint:` what to do
    ├── FormatError         bytes that are not what they should be
    │   ├── TruncatedError      they end too early
    │   ├── TrailingBytesError  they go on after the end
    │   ├── NonCanonicalError   readable, but not the one way to write it
    │   ├── LimitError          larger, deeper or more than any honest evidence
    │   └── VersionError        a later version or a kind this software does not know
    ├── ProofError          well-formed, but it does not prove what it should
    │   ├── SignatureError
    │   ├── InclusionError
    │   ├── ConsistencyError
    │   ├── ChainProofError
    │   └── NotBelievedError    nothing is wrong with it, but the trust file believes nobody for it
    └── KeyFormatError      a key that cannot be used

Messages and hints are message ids of the catalogue, with `{placeholders}` filled from the keyword
arguments. They never carry contents, salts, keys or names of closed records.
"""

from __future__ import annotations


class MizhengError(Exception):
    """An error with a message id, a hint id and the values for their placeholders."""

    def __init__(self, message: str, hint: str = "", **values: object) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.values = values

    def __str__(self) -> str:
        return self.message.format(**self.values)

    @property
    def advice(self) -> str:
        """What to do about it, the hint with its values; empty where there is none."""
        return self.hint.format(**self.values)


class FormatError(MizhengError):
    """Bytes that are not what their format says."""


class TruncatedError(FormatError):
    """The bytes end too early."""


class TrailingBytesError(FormatError):
    """The bytes go on after the end."""


class NonCanonicalError(FormatError):
    """Readable, but not the one way to write it."""


class LimitError(FormatError):
    """Larger, deeper or more than any honest evidence."""


class VersionError(FormatError):
    """A later version, or a kind this software does not know."""


class ProofError(MizhengError):
    """Well-formed, but it does not prove what it should."""


class SignatureError(ProofError):
    """A signature that does not check."""


class InclusionError(ProofError):
    """An inclusion proof that does not lead to the root."""


class ConsistencyError(ProofError):
    """A consistency proof that does not join two roots."""


class ChainProofError(ProofError):
    """A block, receipt or storage proof that does not check."""


class NotBelievedError(ProofError):
    """Nothing is wrong with it, but the trust file believes nobody for it."""


class KeyFormatError(MizhengError):
    """A key that cannot be read or must not be used."""
