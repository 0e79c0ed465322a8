"""Computing power for people: suppliers' own programs on data that their terms open, and the pools at work.

orders.submit_order(base, view, …) -> JobRow             takes the folder in; refuses data that their terms do not open
uploads.submit_upload(base, view, given, …) -> JobRow    the same from an archive that was uploaded
what_if.order_what_if(view, asked) -> WhatIf             what a pool has run, replayed by other rules: queued
what_if.play_record(view, asked) -> PoolReplay           the same at once
orders.works_of(base) -> Works                           files, packages and data of a job, ready for its box
seats.seat_of_trial(lab, record, plan, …) -> context     if a pool seats trials
rounds.dispatching(base, backend, name) -> context       every pool of the base gets its turns
"""
