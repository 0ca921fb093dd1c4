"""The log as the anchorer sees it; see `mizheng.notary.anchoring.anchorer.Log`."""

from mizheng.notary.database import reading, writing
from mizheng.notary.log.guard import KeyReplacedError
from mizheng.notary.log.head import Head, keep_checkpoint, load_head, sign_head
from mizheng.notary.log.keys import load_ranges
from mizheng.notary.log.proofs import consistency_proof
from mizheng.notary.log.tiles import TileReader
from mizheng.notary.publishing.head import load_published_head
from mizheng.verifier import merkle
from mizheng.verifier.merkle import verify_consistency
from mizheng.verifier.note import NoteSigner
from sqlalchemy import Connection, Engine


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
            published = load_published_head(connection)
            found = next((known for known in (head, published) if known.tree_size == size), None)
            if found is None:
                found = self._sign_again(connection, head, size)
            keep_checkpoint(connection, found)

    def _sign_again(self, connection: Connection, head: Head, size: int) -> Head:
        """The head of an earlier size. Ed25519 is deterministic: these are the bytes of then, provided that
        the key and the tiles are still those of then.
        """
        if not any(
            log.verifier.vkey == self._signer.vkey and log.covers(size) for log in load_ranges(connection)
        ):
            raise KeyReplacedError
        reader = TileReader(connection)
        root = reader.subtree_root(0, size)
        proof = merkle.consistency_proof(size, head.tree_size, reader.subtree_root)
        verify_consistency(size, root, head.tree_size, head.root_hash, proof)
        return sign_head(self._signer, size, root)
