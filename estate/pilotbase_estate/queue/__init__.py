"""Queue: requests to a pool, kept in the store, started on a backend, and followed to their end even after a crash.

pools.set_pool(view, pool); pools.pool_of(view, name)      each change a new version
submitting.submit(view, asking) -> JobRow                  raises RefusedError: it could never run
submitting.cancel(view, name, reason)
dispatching.Dispatcher(view, pool, members, name).turn()   one at a time for each pool: a fenced lease
sitting.SeatHolder(place, name).tend() | leave             its seat: requested, kept, given back
showing.standing | queue | usage                           who has what, who waits and why, past usage
"""
