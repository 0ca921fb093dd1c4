"""The manifest over the leaves that sealing made."""

from __future__ import annotations

from collections.abc import Sequence

from mizheng.cli.sealfile.write import Committed
from mizheng.cli.sealing.quick import MANY, Quick, find_quick
from mizheng.verifier.manifest import PAD_CONTEXT, Manifest, compute_commitment, compute_tree_size
from mizheng.verifier.signature import PublicKey


def build_manifest(leaves: bytes | bytearray, manifest_key: bytes) -> Committed:
    """`leaves`: the records' hashes of 32 bytes each, in any order."""
    quick = find_quick() if len(leaves) > 32 * MANY else None
    if quick is not None:
        return _QuickManifest(quick, leaves, manifest_key)
    return Manifest((bytes(leaves[start : start + 32]) for start in range(0, len(leaves), 32)), manifest_key)


class _QuickManifest:
    """As `Manifest`, each level in one piece."""

    def __init__(self, quick: Quick, leaves: bytes | bytearray, manifest_key: bytes) -> None:
        self.tree_size = compute_tree_size(len(leaves) // 32)
        self._levels = quick.levels(leaves, self.tree_size, manifest_key, PAD_CONTEXT)
        self.root = self._levels[-1]

    def levels(self) -> Sequence[bytes]:
        return self._levels

    def commitment(self, depositor_key: PublicKey) -> bytes:
        return compute_commitment(depositor_key, self.tree_size, self.root)
