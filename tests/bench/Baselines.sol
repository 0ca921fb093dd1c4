// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

/// @title The least that writing a head to a chain can cost, to hold the anchor contract's figures against
contract Baselines {
    event Anchored(bytes32 indexed logId, uint64 indexed size, bytes32 root);

    mapping(bytes32 key => bytes32 value) private _slots;

    function emitOnly(bytes32 logId, uint64 size, bytes32 root) external {
        emit Anchored(logId, size, root);
    }

    function storeOnly(bytes32 key, bytes32 value) external {
        _slots[key] = value;
    }
}
