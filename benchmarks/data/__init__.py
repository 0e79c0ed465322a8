"""The subject of `bench_data`: the table, its twenty rules, and a run over many rows watched from outside."""
