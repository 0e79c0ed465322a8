"""What each form of application costs beside what it would cost bare: see `benchmarks.bench_kinds`."""
