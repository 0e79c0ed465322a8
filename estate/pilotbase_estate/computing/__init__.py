"""Computing power for people: suppliers' own programs on data that their terms open, and the pools at work.

orders.hand_in(base, view, order, folder) -> JobRow      the folder is taken in, what its terms do not open is refused
uploads.hand_in_upload(base, view, pool, given, …)       the same from an archive that was uploaded
what_if.order_what_if(view, pool, asked) -> WhatIf       what a pool has run, played by other rules: queued
what_if.play_record(view, question) -> PoolReplay        the same at once
works.works_of(base) -> Works                            files, packages and data of a job, ready for its box
seats.seat_of_trial(base, record, plan, …) -> context    where a pool seats trials
rounds.dispatching(base, backend) -> context             every pool of the base has its turns
"""
