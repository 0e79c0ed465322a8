"""Load tests: an application asked at a pace of its own, and what may be said of it.

bench         the clock, a piece of work that shows how quiet the host is, energy where it can be read
open_loop     requests leave when they are due; latency counts from then, so that no wait is left out
testing       warm-up, load, cold starts, a crash: `LoadTested`
steadiness    whether the test is void, and its figures: `LoadFigures`
"""
