"""Sharing: which waiting jobs get what is free in a pool, and which jobs have to give back. Pure: no clock, no store.

desk.decide(pool, state, now, placer) -> SchedulingDecisions     starts, evictions, refusals, and when to look again
desk.PoolScheduler(pool, placer, state).submit | end | decide    the same, with books kept between decisions
explaining.waits(desk, now) -> {job: JobWait}                    why each waits: one reason, a blocker, place, estimate
changing.findings(pool, state, now) -> issues                    what a changed pool means for running jobs
"""
