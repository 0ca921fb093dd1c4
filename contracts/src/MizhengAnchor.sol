// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {ConsistencyProof} from "./ConsistencyProof.sol";
import {IMizhengAnchor} from "./IMizhengAnchor.sol";

/// @title The anchor contract
/// @dev Evidence is proven from storage: the order of the variables below is part of the evidence format.
contract MizhengAnchor is IMizhengAnchor {
    /// One slot, so that a new head changes one beside its root.
    struct Log {
        address publisher;
        uint64 size;
    }

    /// Slot 0. The root of every anchored size lies at keccak256(size . keccak256(logId . 0)), 32 bytes each.
    mapping(bytes32 logId => mapping(uint64 size => bytes32 root)) private _roots;

    /// Slot 1.
    mapping(bytes32 logId => Log log) private _logs;

    /// Slot 2. Apart from the log: it is written once in years.
    mapping(bytes32 logId => address candidate) private _candidates;

    /// @inheritdoc IMizhengAnchor
    function open(bytes32 originHash) external returns (bytes32 logId) {
        logId = keccak256(abi.encode(msg.sender, originHash));
        if (_logs[logId].publisher != address(0)) revert LogExists(logId);
        _logs[logId].publisher = msg.sender;
        emit Opened(logId, originHash, msg.sender);
    }

    /// @inheritdoc IMizhengAnchor
    function anchor(bytes32 logId, uint64 size, bytes32 root, bytes32[] calldata consistencyProof) external {
        Log storage log = _onlyPublisher(logId);
        uint64 lastSize = log.size;
        if (size == 0 || root == 0) revert EmptyHead();
        mapping(uint64 => bytes32) storage roots = _roots[logId];

        if (lastSize == 0) {
            if (consistencyProof.length != 0) revert InvalidProof();
        } else {
            bytes32 lastRoot = roots[lastSize];
            if (size < lastSize) revert SizeShrinks(lastSize, size);
            if (size == lastSize) {
                if (root != lastRoot) revert RootDiffers(size, lastRoot, root);
                return;
            }
            if (!ConsistencyProof.isValid(lastSize, lastRoot, size, root, consistencyProof)) {
                revert InvalidProof();
            }
        }

        roots[size] = root;
        log.size = size;
        emit Anchored(logId, size, root);
    }

    /// @inheritdoc IMizhengAnchor
    function offerPublisher(bytes32 logId, address candidate) external {
        _onlyPublisher(logId);
        if (candidate == address(0)) revert ZeroCandidate();
        _candidates[logId] = candidate;
        emit PublisherOffered(logId, msg.sender, candidate);
    }

    /// @inheritdoc IMizhengAnchor
    function acceptPublisher(bytes32 logId) external {
        // The sender is never zero: an account that was offered nothing cannot pass.
        if (_candidates[logId] != msg.sender) revert NotCandidate(logId, msg.sender);
        address former = _logs[logId].publisher;
        delete _candidates[logId];
        _logs[logId].publisher = msg.sender;
        emit PublisherChanged(logId, former, msg.sender);
    }

    /// @inheritdoc IMizhengAnchor
    function head(bytes32 logId) external view returns (uint64 size, bytes32 root) {
        size = _logs[logId].size;
        root = _roots[logId][size];
    }

    /// @inheritdoc IMizhengAnchor
    function rootOf(bytes32 logId, uint64 size) external view returns (bytes32 root) {
        return _roots[logId][size];
    }

    /// @inheritdoc IMizhengAnchor
    function publisherOf(bytes32 logId) external view returns (address publisher) {
        return _logs[logId].publisher;
    }

    /// @inheritdoc IMizhengAnchor
    function candidateOf(bytes32 logId) external view returns (address candidate) {
        return _candidates[logId];
    }

    function _onlyPublisher(bytes32 logId) private view returns (Log storage log) {
        log = _logs[logId];
        address publisher = log.publisher;
        if (publisher != msg.sender) {
            if (publisher == address(0)) revert LogUnknown(logId);
            revert NotPublisher(logId, msg.sender);
        }
    }
}
