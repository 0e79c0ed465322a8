"""One engine at a time: a worker that looked for an attempt on the wrong engine would call it lost, and run it twice.

So a worker neither polls nor starts a pool's jobs while some of them run on an engine other than its own. Seats do not
count: the process that does their work holds their boxes, and nothing looks for them.
"""

from __future__ import annotations

from sqlalchemy import Connection, select

from pilotbase.documents.errors import RefusedError
from pilotbase_estate.queue.rows import QueueState
from pilotbase_estate.workspace import compute_tables

_jobs, _attempts = compute_tables.compute_jobs.c, compute_tables.compute_attempts.c


class OtherEngineError(RefusedError):
    """Jobs run on an engine other than this worker's."""


def require_own(connection: Connection, engine: str, pool: str = "") -> None:
    """Require that all that runs in a pool, or in any, runs on ``engine``, as far as it is known.

    Raises:
        OtherEngineError: ``compute.other_engine``.
    """
    runs = _jobs.state.in_([QueueState.RUNNING.value, QueueState.STOPPING.value])
    elsewhere = _attempts.engine.not_in(["", engine])
    wanted = (runs, elsewhere, _jobs.pool == pool) if pool else (runs, elsewhere)
    same = (_jobs.name == _attempts.job) & (_jobs.attempt == _attempts.number)
    found = select(_jobs.name, _attempts.engine).join_from(
        compute_tables.compute_jobs, compute_tables.compute_attempts, same
    )
    running = connection.execute(found.where(*wanted).order_by(_jobs.name)).all()
    if running:
        job, theirs = running[0]
        raise OtherEngineError("compute.other_engine", count=len(running), job=job, running=theirs, own=engine)
