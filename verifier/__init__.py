"""The ground floor: evidence formats and their checks. Bytes in, report out.

Nothing here opens a socket, reads a clock, an environment variable or a database.
Whatever comes from outside ("now", trust, headers seen by a node) is an argument.
A change here can break evidence made years ago: formats are never edited, only added beside.
"""
