"""The cost of each form of application, compared with its cost outside the base: see `benchmarks.bench_kinds`."""
