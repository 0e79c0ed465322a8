"""Queue: what was asked of a pool, kept in the store, started on a backend, and followed to its end whoever dies.

pools.set_pool(view, pool); pools.pool_of(view, name)      each change a new version
submitting.submit(view, asking) -> JobRow                  raises RefusedError: it could never run
submitting.cancel(view, job, reason)
dispatching.Dispatcher(view, pool, members, name).turn()  one at a time for each pool: a fenced lease
seating.place_for(view, work) -> Place | None             whether a pool seats work of the base itself, and which
sitting.Sitter(place, name).tend() | leave                 its seat: asked for, kept, left (over `seats`)
showing.holds | waiting | usage                            who has what, why who waits, who had how much when
"""
