"""Load tests: an application receives requests at a fixed pace, and what the results can show.

bench         the clock, a reference workload that shows how quiet the host is, energy where it can be read
open_loop     requests leave when they are due; latency counts from then, so that no waiting time is left out
testing       warm-up, load, cold starts, a crash: `LoadTested`
steadiness    whether the test is void, and its figures: `LoadFigures`
"""
