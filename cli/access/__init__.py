"""Lawful use: requests to see records, approvals, and the log of every look."""
