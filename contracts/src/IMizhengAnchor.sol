// SPDX-License-Identifier: UNLICENSED
pragma solidity ^0.8.20;

/// @title Heads of append-only logs, kept so that nobody can rewrite them
/// @notice A log is an RFC 6962 hash tree that only grows. Its publisher anchors the tree's head (size and root)
/// from time to time; every head is accepted only with a proof that it extends the last one. Every anchored root
/// stays readable for ever, by size, and provable from the state root of any later block.
/// @dev There is no owner, no proxy, no pause. Nothing depends on the chain's id or on what its timestamps mean.
interface IMizhengAnchor {
    /// @notice A log came into being.
    event Opened(bytes32 indexed logId, bytes32 indexed originHash, address indexed publisher);

    /// @notice A new head of a log. Not emitted when an anchored head is sent again.
    event Anchored(bytes32 indexed logId, uint64 indexed size, bytes32 root);

    /// @notice The publisher of a log offered it to another account; replaces an earlier offer.
    event PublisherOffered(bytes32 indexed logId, address indexed publisher, address indexed candidate);

    /// @notice The account that was offered a log took it over.
    event PublisherChanged(bytes32 indexed logId, address indexed former, address indexed publisher);

    /// @notice The sender has opened a log of this origin before.
    error LogExists(bytes32 logId);

    /// @notice No log has this id.
    error LogUnknown(bytes32 logId);

    /// @notice Only the log's publisher may do this.
    error NotPublisher(bytes32 logId, address sender);

    /// @notice Only the account that was offered the log may accept it.
    error NotCandidate(bytes32 logId, address sender);

    /// @notice A log cannot be offered to the zero address.
    error ZeroCandidate();

    /// @notice A head has a size and a root, neither of them zero.
    error EmptyHead();

    /// @notice The head is smaller than the last one.
    error SizeShrinks(uint64 lastSize, uint64 size);

    /// @notice The head has the last one's size and another root.
    error RootDiffers(uint64 size, bytes32 lastRoot, bytes32 root);

    /// @notice The proof does not show that the head extends the last one.
    error InvalidProof();

    /// @notice This chain has no SHA-256 precompile at address 2.
    error Sha256Unavailable();

    /// @notice Open a log whose publisher is the sender.
    /// @param originHash Keccak-256 of the UTF-8 bytes of the log's origin, the first line of its checkpoints.
    /// @return logId keccak256(abi.encode(msg.sender, originHash)); it stays when the publisher changes.
    function open(bytes32 originHash) external returns (bytes32 logId);

    /// @notice Anchor a head; only the log's publisher may.
    /// @dev The last head sent again, with whatever proof, is accepted and changes nothing: a transaction whose
    /// fate is unknown can be repeated. A consistency proof binds leaves, and the size only as far as it shapes
    /// the proof: as everywhere with RFC 6962, whoever signs the head vouches for its size.
    /// @param logId The log.
    /// @param size Number of leaves, not zero and not less than the last head's.
    /// @param root Merkle tree hash of these leaves (RFC 6962 section 2.1, SHA-256), not zero.
    /// @param consistencyProof RFC 6962 section 2.1.2 proof from the last head to this one, nodes in that order;
    /// empty for the first head.
    function anchor(bytes32 logId, uint64 size, bytes32 root, bytes32[] calldata consistencyProof) external;

    /// @notice Offer the log to another account, which has to accept; the sender stays the publisher until then.
    /// @dev Offering it to oneself withdraws an offer.
    function offerPublisher(bytes32 logId, address candidate) external;

    /// @notice Take over a log that was offered to the sender.
    function acceptPublisher(bytes32 logId) external;

    /// @notice The last head; zeros if there is none.
    function head(bytes32 logId) external view returns (uint64 size, bytes32 root);

    /// @notice The root anchored for a size; zero if none was.
    function rootOf(bytes32 logId, uint64 size) external view returns (bytes32 root);

    /// @notice Who may anchor heads; zero if there is no such log.
    function publisherOf(bytes32 logId) external view returns (address publisher);

    /// @notice Who may accept the log; zero if it is not offered.
    function candidateOf(bytes32 logId) external view returns (address candidate);
}
