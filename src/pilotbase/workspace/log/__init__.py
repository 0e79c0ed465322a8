"""The log of a base: one signed Merkle tree, written with every change, verified without the base."""
