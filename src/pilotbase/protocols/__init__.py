"""Wire formats and clients."""
