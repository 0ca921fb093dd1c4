"""Keeping originals: encrypted here, stored elsewhere, checked, brought back.

Lowest first: stores (where ciphertexts lie), journal (NAME.keeping, the file), record (what it says);
encrypting, decrypting; keeping, fixity, retrieving, retention, deleting.
"""
