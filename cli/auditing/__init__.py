"""Following somebody's log: fetch it, compute it again, remember what was seen.

faults   what an audit may end with besides an answer; findings are evidence
source   where a log is read from: HTTP or plain files
tree     a signed checkpoint's tree, every tile of it checked from the root down
walk     entries in, leaf hashes compared with that tree; parallel fetching
state    what the last audit saw, kept in a file
heads    the newest checkpoint against the one seen before
keys     the log's key, where it changes
chain    the tree against what contracts hold
run      the whole audit, in order
"""
