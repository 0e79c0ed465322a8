"""Private statistics: figures of a closed dataset under differential privacy, and synthetic records made from them.

grids          `grid_of(column)`                           what is counted in a field: from its contract alone
profiling      `profile(table, question)`                  counts, means, quantiles, pairs; bounded groups
               `split(epsilon, ...)`                       the share of ε of each part
               `noisy(counts, sensitivity, epsilon)`       OpenDP's discrete Laplace, integers alone
releasing      `release(view, question, table)`            counted in the ledger first, drawn once, kept
synthesis      `synthesise(profile, record_set, rows)`     records from the profile and the contract alone
synthetic      `make_sample(...)`                          the sample as a dataset, after its privacy test
"""
