"""The seal file `NAME.seal`: what the depositor keeps, private and 0600. Format: docs/decisions/0009.

mizheng-seal/v2
{"created_at":"…","encryption":"age","keys":[…]}     header: age files (Base64) that hold the seal's key
{"length":…,"number":0,"type":"records"}               a segment's line, then so many bytes, encrypted
…
{"length":…,"number":…,"type":"contents"}              the last one says where all others are
{"sha256":"…","state":{"sealed":{…},…}}                states, appended as things happen; the last one counts
"""
