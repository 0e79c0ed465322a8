"""The subject of `bench_faults`: real tables, and sixteen kinds of faults that are planted into them by seed."""
