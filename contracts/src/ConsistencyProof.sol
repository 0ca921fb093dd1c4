// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IMizhengAnchor} from "./IMizhengAnchor.sol";

/// @title Consistency of two heads of an RFC 6962 hash tree
/// @dev In assembly for gas: Solidity's own sha256() copies its input and output through fresh memory each time.
library ConsistencyProof {
    /// @notice Whether the tree of `newSize` leaves starts with the `oldSize` leaves under `oldRoot`.
    /// @dev RFC 9162 section 2.1.4.2, whose names and step numbers are used below. The caller sees to
    /// 0 < oldSize < newSize < 2**64. The proof has to be consumed exactly.
    function isValid(
        uint256 oldSize,
        bytes32 oldRoot,
        uint256 newSize,
        bytes32 newRoot,
        bytes32[] calldata proof
    ) internal view returns (bool valid) {
        bytes4 unavailable = IMizhengAnchor.Sha256Unavailable.selector;
        assembly ("memory-safe") {
            // Two nodes to be hashed, 0x01 || left || right, past the memory in use. `fr` and `sr` live where the
            // right child stands: under a left sibling they are in place, and so is the hash that replaces them.
            let f := mload(0x40)
            let s := add(f, 96)
            mstore8(f, 1)
            mstore8(s, 1)
            let fLeft := add(f, 1)
            let fr := add(f, 33)
            let sLeft := add(s, 1)
            let sr := add(s, 33)

            let next := proof.offset
            let fn := sub(oldSize, 1)
            let sn := sub(newSize, 1)

            // 2. and 5. A full old tree is itself the first node: the proof leaves it out.
            switch and(fn, oldSize)
            case 0 {
                mstore(fr, oldRoot)
                mstore(sr, oldRoot)
            }
            default {
                calldatacopy(fr, next, 32)
                calldatacopy(sr, next, 32)
                next := add(next, 32)
            }
            // 4. Up to the node that ends the old tree: as many levels as `oldSize` can be halved.
            {
                let lowestBit := and(oldSize, sub(0, oldSize))
                fn := div(fn, lowestBit)
                sn := div(sn, lowestBit)
            }

            // 6. How many nodes are used follows from the sizes alone. So their number is compared once, at the
            // end, and what a proof that is too short makes this read past it does no harm.
            let ok := 1
            // Below the node where the two trees' right edges meet: old nodes have right siblings, too.
            for {} xor(fn, sn) {} {
                switch and(fn, 1)
                case 0 {
                    mstore(sLeft, mload(sr))
                    calldatacopy(sr, next, 32)
                }
                default {
                    calldatacopy(fLeft, next, 32)
                    ok := and(ok, staticcall(gas(), 2, f, 65, fr, 32))
                    calldatacopy(sLeft, next, 32)
                }
                ok := and(ok, staticcall(gas(), 2, s, 65, sr, 32))
                next := add(next, 32)
                fn := shr(1, fn)
                sn := shr(1, sn)
            }
            // Above it: left siblings only.
            for {} fn {} {
                if and(fn, 1) {
                    calldatacopy(fLeft, next, 32)
                    ok := and(ok, staticcall(gas(), 2, f, 65, fr, 32))
                    calldatacopy(sLeft, next, 32)
                    ok := and(ok, staticcall(gas(), 2, s, 65, sr, 32))
                    next := add(next, 32)
                }
                fn := shr(1, fn)
            }

            // A call to an address without a precompile succeeds and returns nothing.
            if iszero(and(ok, eq(returndatasize(), 32))) {
                mstore(0, unavailable)
                revert(0, 4)
            }

            // 7.
            valid := and(
                eq(next, add(proof.offset, shl(5, proof.length))),
                and(eq(mload(fr), oldRoot), eq(mload(sr), newRoot))
            )
        }
    }
}
