"""The log as the anchorer sees it; see `mizheng.notary.anchoring.Log`."""

from mizheng.notary.database import reading, writing
from mizheng.notary.log.head import keep_checkpoint, load_head, sign_head
from mizheng.notary.log.proofs import consistency_proof, root_hash
from mizheng.verifier.note import NoteSigner
from sqlalchemy import Engine


class AnchorableLog:
    """Each call is a transaction of its own: the anchorer keeps nothing open while it talks to a chain."""

    def __init__(self, engine: Engine, signer: NoteSigner) -> None:
        self._engine = engine
        self._signer = signer

    def head(self) -> tuple[int, bytes, bytes]:
        """Size, root and signed checkpoint of the committed head."""
        with reading(self._engine) as connection:
            head = load_head(connection)
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
                # The log has grown meanwhile. Ed25519 is deterministic: these are the bytes of then.
                head = sign_head(self._signer, size, root_hash(connection, size))
            keep_checkpoint(connection, head)
