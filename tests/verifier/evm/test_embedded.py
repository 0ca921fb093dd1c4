"""Evidence of the embedded chain: the same checks, and only its kind tells that it proves nothing."""

from dataclasses import replace
from pathlib import Path

import pytest
from mizheng.notary.chain import contract
from mizheng.notary.chain.deploy import bring_up
from mizheng.notary.chain.embedded import EmbeddedChain
from mizheng.notary.chain.evidence import AnchoredHead, capture_evidence
from mizheng.notary.chain.profiles import embedded_profile
from mizheng.notary.chain.publisher import Publisher
from mizheng.notary.chain.signers.keyfile import KeyFileSigner
from mizheng.verifier.anchor import parse_anchor, verify_anchor, verify_header, verify_receipt
from mizheng.verifier.beacon import Beacon, dump_beacon, parse_beacon, verify_beacon
from mizheng.verifier.errors import ChainProofError
from mizheng.verifier.merkle import Tree, leaf_hash

TREE = Tree([leaf_hash(b"entry %d" % index) for index in range(40)])


class Clock:
    """Seconds that pass when somebody waits."""

    now = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += max(seconds, 1)


def test_evidence_of_the_embedded_chain(tmp_path: Path) -> None:
    clock = Clock()
    publisher = Publisher(KeyFileSigner.create(tmp_path / "publisher.key"))
    chain = EmbeddedChain(tmp_path / "chain.db", embedded_profile(), publisher.address, clock=clock)
    try:
        deployment = bring_up(chain, publisher, "example.org/log", sleep=clock.sleep)
        evidences = []
        for size, proof in ((1, []), (3, TREE.consistency_proof(1, 3)), (40, TREE.consistency_proof(3, 40))):
            root = TREE.root(size)
            signed = publisher.sign(
                to=deployment.contract,
                data=contract.anchor_data(deployment.log_id, size, root, proof),
                gas=300_000,
                nonce=chain.nonce(publisher.address),
                chain_id=chain.profile.chain_id,
                fees=chain.fees(),
            )
            chain.send_raw(signed.raw)
            clock.sleep(2)
            chain.head()
            found = chain.find(signed.hash)
            assert found is not None
            head = AnchoredHead(deployment.contract, deployment.code_hash, deployment.log_id, size, root)
            evidences.append(parse_anchor(capture_evidence(chain, found, head)))
        block = chain.head()
        identity = chain.profile.identity
    finally:
        chain.close()

    contract_, code_hash = deployment.contract, deployment.code_hash
    assert identity.kind == "trial"
    for evidence in evidences:
        assert evidence.receipt is not None
        assert evidence.storage is not None
        assert evidence.storage.block == evidence.block
        header = verify_anchor(evidence, identity, contract_, code_hash)
        assert clock.now - 20 < header.timestamp <= clock.now
        with pytest.raises(ChainProofError, match="another chain"):
            verify_anchor(evidence, replace(identity, kind="ethereum"), contract_, code_hash)
    one, other = evidences[:2]
    with pytest.raises(ChainProofError):
        verify_receipt(replace(one, receipt=other.receipt), verify_header(one))
    beacon = Beacon(identity, block)
    parsed = parse_beacon(dump_beacon(beacon))
    assert verify_beacon(parsed, beacon.reference).number == block.number
