"""Sharing: which waiting jobs get what is free in a pool, and which jobs have to give back. Pure: no clock, no store.

explaining.PoolScheduler(pool, placer, state).submit | end | decide    starts, evictions, and when to look again
explaining.waits(desk, now) -> {job: JobWait}                     why each waits: one reason, a blocker, place, estimate
"""
