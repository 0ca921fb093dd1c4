"""Certificates in the background of a serving notary, by lease: one process on a database issues them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mizheng.notary.certificates.issuing import Issuer
from mizheng.notary.certificates.setup import parse_certificates
from mizheng.notary.certificates.signing import make_signer
from mizheng.notary.chain.profiles import ChainProfile
from mizheng.notary.instance import Instance
from mizheng.notary.lease import make_lease
from mizheng.notary.worker import Worker

# How soon a wish is noticed.
_PAUSE = 1.0


class CertificateKeeper:
    """Issues certificates while this process has the lease."""

    def __init__(self, instance: Instance, profiles: Callable[[], Sequence[ChainProfile]]) -> None:
        self.setup = parse_certificates(instance.settings.certificates)
        self._issuer = Issuer(instance, profiles, self.setup, make_signer(instance, self.setup))
        self._lease = make_lease(instance.engine, "certificates")
        self._worker = Worker("certificates", self._step, _PAUSE)

    @property
    def state(self) -> str:
        """ok, or what keeps this process from issuing."""
        return self._issuer.state

    def start(self) -> None:
        self._worker.start()

    def stop(self) -> None:
        """End after the present step; what it leaves undone is done at the next start."""
        self._worker.stop()
        self._lease.release()

    def _step(self) -> bool:
        return self._lease.hold() and self._issuer.step()
