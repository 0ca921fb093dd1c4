"""Where ciphertexts lie. `interface` is what every store can do, `address` opens one by its address."""
