"""Where facts are kept: append, feed, Merkle tree, heads, sealing."""
