"""The log as the anchorer sees it; see `mizheng.notary.anchoring.Log`."""

from mizheng.notary.database import reading, writing
from mizheng.notary.log.head import keep_checkpoint, load_head, sign_head
from mizheng.notary.log.proofs import consistency_proof
from mizheng.notary.log.published_head import load_published_head
from mizheng.notary.log.tiles import TileReader
from mizheng.verifier import merkle
from mizheng.verifier.merkle import verify_consistency
from mizheng.verifier.note import NoteSigner
from sqlalchemy import Engine


class AnchorableLog:
    """Each call is a transaction of its own: the anchorer keeps nothing open while it talks to a chain."""

    def __init__(self, engine: Engine, signer: NoteSigner) -> None:
        self._engine = engine
        self._signer = signer

    def head(self) -> tuple[int, bytes, bytes]:
        """Size, root and signed checkpoint of the published head: witnesses have been asked about it."""
        with reading(self._engine) as connection:
            head = load_published_head(connection)
        return head.tree_size, head.root_hash, head.checkpoint

    def consistency_proof(self, old_size: int, new_size: int) -> list[bytes]:
        """RFC 6962 §2.1.2."""
        with reading(self._engine) as connection:
            return consistency_proof(connection, old_size, new_size)

    def keep_checkpoint(self, size: int) -> None:
        """Keep the signed checkpoint of this size for good."""
        with writing(self._engine) as connection:
            head = load_head(connection)
            if head.tree_size != size:
                # The log has grown meanwhile. Ed25519 is deterministic: these are the bytes of then, provided
                # that the tiles are still those of then.
                reader = TileReader(connection)
                root = reader.subtree_root(0, size)
                proof = merkle.consistency_proof(size, head.tree_size, reader.subtree_root)
                verify_consistency(size, root, head.tree_size, head.root_hash, proof)
                head = sign_head(self._signer, size, root)
            keep_checkpoint(connection, head)
