"""Whether the store still agrees with the signed log: heads, documents, counters, listings, figures."""
