"""RFC 3161 time-stamp tokens, checked by hand but for the arithmetic of signatures.

    der → algorithms → x509 → ocsp → given → cms → path, revocation → token → authority

Bytes, trusted roots and instants are arguments: nothing here knows a network or a clock.
"""
