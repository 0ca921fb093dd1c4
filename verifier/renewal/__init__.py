"""Evidence records (RFC 4998): chains of time stamps that outlive certificates and hashes.

    tree → record → chain, build

A time stamp is renewed before its certificate ends by another over it; before a hash is retired
everything that rests on it is hashed anew with the next one. Instants, trusted authorities and objects are
arguments.
"""
