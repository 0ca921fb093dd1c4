"""From a profile to a chain: the one place that chooses between the embedded chain and nodes.

The imports stand where they are used: py-evm and web3 each take more than a second, and a notary needs one
of them.
"""

from __future__ import annotations

from pathlib import Path

from mizheng.notary.chain.interface import Chain
from mizheng.notary.chain.profiles import ChainProfile

EMBEDDED_FILE = "chain.db"


def open_chain(profile: ChainProfile, data_dir: Path, publisher_address: bytes) -> Chain:
    """The profile's chain. The embedded one is made in `data_dir` when first opened and funds the publisher.

    ChainInUseError if another process has the embedded chain open. A node is not asked anything yet: one that
    is down is no reason not to start.
    """
    if profile.is_embedded:
        from mizheng.notary.chain.embedded import EmbeddedChain

        return EmbeddedChain(data_dir / EMBEDDED_FILE, profile, publisher_address)
    from mizheng.notary.chain.nodes import open_nodes

    return open_nodes(profile)
