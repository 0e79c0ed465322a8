"""Queue: what was asked of a pool, kept in the store, started on a backend, and followed to its end whoever dies.

pools.set_pool(view, pool); pools.pool_of(view, name)      each change a new version
submitting.submit(view, asking) -> JobRow                  raises RefusedError: it could never run
submitting.cancel(view, job, reason)
dispatching.Dispatcher(view, pool, members, name).turn()  one at a time for each pool: a fenced lease
seats.take(view, …) | keep | leave                         for a process of the base that does its work itself
showing.holds | waiting | usage                            who has what, why who waits, who had how much when
"""
