"""What `bench_data` measures: the table, its twenty rules, and a run over many rows watched from outside."""
