"""Whether the store still says what the signed log says: heads, documents, counters, listings, figures."""
