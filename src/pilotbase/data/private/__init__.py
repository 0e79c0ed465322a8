"""Private statistics: what is told of a closed dataset under differential privacy, and synthetic records made of that.

noise          `noisy(counts, sensitivity, epsilon)`       OpenDP's discrete Laplace, integers alone
grids          `grid_of(column)`                           what of a field is counted: by its contract alone
units          `Units(table, unit)`                       groups bounded, a fifth of the units set aside
spending       `split(epsilon, ...)`                       who gets how much of ε
profiling      `profile(table, question)`                counts, means, quantiles, pairs
releasing      `release(view, question, table)`            counted in the ledger first, drawn once, kept
synthesis      `synthesise(profile, record_set, rows)`     records from the profile and the contract alone
nearness       `privacy_test(...)`                         are they nearer to the records that were profiled
synthetic      `make_sample(...)`                          the sample as a dataset of its own, in files
"""
