"""Running the detectors of a service over what is new: resumable, and exactly once a case.

Everything is computed outside a transaction and written in one: states, how far was read, points, warnings. A pass that
another has overtaken writes nothing (`WatchState.passes`). So a worker may be killed at any moment, and two may run at
once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select

from pilotbase.documents.subjects import service_subject
from pilotbase.documents.vocabularies import Signal
from pilotbase.documents.watch import ReferenceProfile, Watch
from pilotbase.watch.audits import among_audited, audit_of, draw_audit, predicted_means
from pilotbase.watch.cohorts import Cohort, close_due, due_services, next_closed, note_entered, undrawn
from pilotbase.watch.following import SILENCE, ColourChange, Following, follow, follow_silence
from pilotbase.watch.labels import cases_of
from pilotbase.watch.losses import CohortLosses, losses_of, promised_to
from pilotbase.watch.packs import Pack, microseconds
from pilotbase.watch.standings import (
    EnteredMean,
    WatchState,
    armed_services,
    move_on,
    service_of,
    standing_of,
    states_of,
    stored_service,
    write_means,
    write_states,
)
from pilotbase.watch.warnings import raise_warnings
from pilotbase.workspace import watch_tables as tables
from pilotbase.workspace.store import View

STEP_CASES = 20_000
"""About so many cases are read in one pass."""
_packs = tables.observation_packs.c


@dataclass(frozen=True)
class _Reached:
    """Up to where a pass has read: the last pack, and the cohort that was entered, if one was."""

    read_to: int
    cohort: Cohort | None = None
    losses: CohortLosses | None = None
    predicted: Sequence[float | None] = ()
    """The mean loss of each criterion that the cohort's answers predict."""


def watched_services(view: View) -> list[str]:
    """Return the services whose watch is armed."""
    with view.reading() as connection:
        return armed_services(connection)


def close_all_cohorts(view: View) -> None:
    """Close every cohort whose window for labels has passed, of watched services and of others."""
    with view.reading() as connection:
        due = due_services(connection, view.store.clock())
    for service in due:
        close_cohorts(view, service)


def run(view: View, service: str) -> None:
    """Let the detectors of a service read everything that is there."""
    close_cohorts(view, service)
    while run_once(view, service):
        pass


def close_cohorts(view: View, service: str) -> None:
    """Close the cohorts of a service whose window for labels has passed."""
    with view.transaction("watch.cohort_closed") as change:
        closed = close_due(change.connection, service, change.now)
        if closed:
            change.record("watch.cohort_closed", [service_subject(service)], {"cohorts": closed})


def run_once(view: View, service: str) -> bool:
    """Read the next packs of a service, or its next closed cohort, or its silence; return whether there may be more."""
    with view.reading() as connection:
        standing, states = standing_of(connection, service), states_of(connection, service)
    if standing is None or not standing.armed:
        return False
    watch = view.load(standing.watch, Watch)
    if watch.audit_labels is not None and _draw(view, service, watch):
        return True
    if not _has_more(view, standing, watch):
        _look_for_silence(view, standing, follow_silence(watch, states))
        return False
    profile = None if watch.profile is None else view.load(watch.profile, ReferenceProfile)
    following = follow(watch, promised_to(view, service_of(view, service), watch), profile, states)
    reached = _follow_stream(view, standing, following) or _follow_cohort(view, standing, following)
    if reached is not None:
        _write(view, standing, following, reached)
    return reached is not None


def _draw(view: View, service: str, watch: Watch) -> bool:
    """Draw the next audit that is due; return whether there was one."""
    with view.reading() as connection:
        if undrawn(connection, watch, view.store.clock()) is None:
            return False
    promised = promised_to(view, service_of(view, service), watch)
    if promised is None:
        return False
    losses = [loss for _, loss in follow(watch, promised, None).risks.values()]
    return draw_audit(view, watch, promised, losses)


def _has_more(view: View, standing: WatchState, watch: Watch) -> bool:
    """Return whether there is anything that no detector has read: asked every second, so it reads no document."""
    assert watch.armed_at is not None
    new = select(_packs.number).where(_packs.service == standing.service, _packs.number > standing.read_to).limit(1)
    with view.reading() as connection:
        if connection.scalar(new) is not None:
            return True
        return next_closed(connection, standing.service, watch.armed_at) is not None


def _look_for_silence(view: View, standing: WatchState, following: Following) -> None:
    """Look whether the service has been silent, since it was heard last or else since it was armed."""
    silence = following.stream[SILENCE]
    if silence.detector.seen == 0 and following.watch.armed_at is not None:
        following.hear([microseconds(following.watch.armed_at)])
    following.hear([microseconds(view.store.clock())], heard=False)
    if silence.turns:
        _write(view, standing, following, _Reached(standing.read_to))


def _follow_stream(view: View, standing: WatchState, following: Following) -> _Reached | None:
    """Let the detectors of the stream look at the next packs; None where there are none."""
    read_to, cases = standing.read_to, 0
    with view.reading() as connection:
        new = (_packs.service == standing.service, _packs.number > standing.read_to)
        rows = select(_packs.number, _packs.body, _packs.cases, _packs.taken_at).where(*new).order_by(_packs.number)
        for row in connection.execution_options(yield_per=16).execute(rows):
            following.hear([microseconds(row.taken_at)])
            if row.body is not None:
                following.take_pack(Pack.from_bytes(row.body))
            read_to, cases = row.number, cases + row.cases
            if cases >= STEP_CASES:
                break
    return _Reached(read_to) if read_to > standing.read_to else None


def _follow_cohort(view: View, standing: WatchState, following: Following) -> _Reached | None:
    """Let the detectors of risk look at the next closed cohort; None where there is none."""
    assert following.watch.armed_at is not None
    with view.reading() as connection:
        cohort = next_closed(connection, standing.service, following.watch.armed_at)
        if cohort is None:
            return None
        if following.promised is None or not following.risks:
            return _Reached(standing.read_to, cohort)
        criteria = [loss for _, loss in following.risks.values()]
        packs = list(cases_of(connection, cohort))
        predicted = predicted_means(packs, following.promised, criteria)
        if following.watch.audit_labels is not None:
            packs = list(among_audited(packs, audit_of(connection, cohort)))
        losses = losses_of(packs, following.promised, criteria, following.watch)
    following.take_cohort(losses)
    return _Reached(standing.read_to, cohort, losses, predicted)


def _write(view: View, standing: WatchState, following: Following, reached: _Reached) -> None:
    """Write what a pass has found, or nothing where another pass was first."""
    service = stored_service(view, standing.service)
    with view.transaction("watch.warned") as change:
        if not move_on(change.connection, standing, reached.read_to, change.now):
            return
        write_states(change.connection, standing, following.all)
        if reached.cohort is not None and reached.losses is not None:
            read = (reached.cohort.begins_at, len(reached.losses.at), reached.losses.labelled)
            means = following.means(reached.losses, reached.predicted)
            entered = (
                EnteredMean(name, standing.watch, *read, mean, accepted, stated)
                for name, mean, accepted, stated in means
            )
            write_means(change.connection, standing.service, entered)
        turns = [_with_excess(turn, reached.cohort) for followed in following.all for turn in followed.turns]
        raise_warnings(change, view, service, sorted(turns, key=lambda turn: turn.began))
        if reached.cohort is not None:
            note_entered(change.connection, reached.cohort)
            change.record("watch.cohort_entered", [service_subject(standing.service)], _facts(reached))


def _with_excess(turn: ColourChange, cohort: Cohort | None) -> ColourChange:
    """Return a change of a risk's colour with its errors a day beyond what is accepted, at the rate of its cohort."""
    if cohort is None or turn.signal is not Signal.RISK or turn.above is None:
        return turn
    return replace(turn, excess=max(turn.above, 0.0) * cohort.cases * 86_400 / cohort.seconds)


def _facts(reached: _Reached) -> dict[str, str | int]:
    assert reached.cohort is not None
    facts: dict[str, str | int] = {"cohort": reached.cohort.number, "cases": reached.cohort.cases}
    if reached.losses is not None:
        facts |= {"entered": len(reached.losses.at), "labelled": reached.losses.labelled}
    return facts
