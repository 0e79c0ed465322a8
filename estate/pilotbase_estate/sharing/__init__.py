"""Sharing: who of those that wait may have what is free of a pool, and who has to give back. Pure: no clock, no store.

desk.decide(pool, state, now, placer) -> Decisions      starts, evictions, refusals, and when to look again
desk.Desk(pool, placer, state).submit | end | decide    the same, with books kept from one decision to the next
explaining.waits(desk, now) -> {job: Wait}              why each waits: one reason, a blocker, place and estimate
changing.findings(pool, state, now) -> issues           what a changed pool means for what runs
"""
