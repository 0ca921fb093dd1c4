"""For httpx's clients, of which each would read all the certificates that this machine trusts: 0.05 s."""

import ssl

# Trusts nobody: what tests ask speaks no TLS.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
