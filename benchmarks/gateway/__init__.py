"""Parts of `bench_gateway`: the upstream, the load, and the servers between them."""
