"""The way of a scenario from demand to use, as pages show it: one axis of time, a lane a record, what comes next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from pilotbase.charts.mission import Axis, LaneSpell, axis_chart, lane_chart
from pilotbase.documents.base import localized
from pilotbase.documents.moments import format_day, format_minute
from pilotbase.documents.record import Record, Waiting
from pilotbase.documents.subjects import name_of
from pilotbase.documents.texts import Text, make_visible, text
from pilotbase.hub.acting import RequestActor, language
from pilotbase.hub.presenters.addresses import address_of
from pilotbase.hub.presenters.drawn import drawn
from pilotbase.hub.presenters.records import names_shown, title_of
from pilotbase.hub.presenters.states import LOOK
from pilotbase.worker.mission import Happening, Mission, MissionStage, StateSpell, Stop, mission_of

_TOLD, _NEXT = 40, 5
_SHORT = timedelta(days=2)
"""A shorter thread shows the time of day."""
_LISTED = {MissionStage.TRIAL: "trials", MissionStage.APPLICATION: "applications"}
"""Stage → section whose list holds the others."""
SIGNS = {
    MissionStage.WORDS: "message-square",
    MissionStage.DEMAND: "target",
    MissionStage.APPLICATION: "package",
    MissionStage.TRIAL: "flask-conical",
    MissionStage.CERTIFICATE: "badge-check",
    MissionStage.SERVICE: "server",
    MissionStage.WATCH: "shield-check",
    MissionStage.INCIDENT: "siren",
}
"""Stage → its icon."""


@dataclass(frozen=True)
class Lane:
    """One record on the axis."""

    stop: Stop
    url: str
    """Empty for the record whose page this is."""
    sign: str
    look: str
    since: str
    chart: SafeString


@dataclass(frozen=True)
class Told:
    """One thing that happened, and to which record."""

    happening: Happening
    lane: Lane
    who: str


@dataclass(frozen=True)
class Ahead:
    """Work that waits."""

    wait: Waiting
    lane: Lane


def mission_shown(acting: RequestActor, subject: str, here: str = "", trial: Record | None = None) -> dict[str, Any]:
    """Return the thread of a record for its page, or for that of another stop, ``here``; nothing where none is seen."""
    found = mission_of(acting.view, subject, trial)
    if not found.stops:
        return {}
    axis = _axis(found, acting.view.store.clock())
    lanes = [_lane(stop, axis, here or subject) for stop in found.stops]
    people = names_shown(acting.actor, [(one.organisation, one.person) for _, one in _events(lanes)])
    told = sorted(_events(lanes), key=lambda one: one[1].at, reverse=True)
    waiting = sorted(_waiting(lanes), key=lambda one: one.wait.due or datetime.max.replace(tzinfo=axis.now.tzinfo))
    return {
        "mission": {
            "stages": list(_stages(found, lanes, acting)),
            "axis": drawn(axis_chart(axis, (_said(text("mission.axis")), _said(text("mission.now"))))),
            "told": [Told(one, lane, _who(one, people)) for lane, one in told[:_TOLD]],
            "ahead": waiting[:_NEXT],
            "hints": found.hints,
        }
    }


def _axis(found: Mission, now: datetime) -> Axis:
    """Return the axis from the first moment to now, and beyond to what is due, at most a third of the whole."""
    begins = min(stop.spells[0].begins for stop in found.stops)
    due = max((wait.due for stop in found.stops for wait in stop.waits if wait.due is not None), default=now)
    past = max(now - begins, timedelta(minutes=1))
    return Axis(begins, max(now, min(due, now + past / 2)) + past / 50, now)


def _lane(stop: Stop, axis: Axis, here: str) -> Lane:
    look = _look(stop, stop.state)
    spells = [LaneSpell(one.begins, one.ends or axis.now, _look(stop, one.state)) for one in stop.spells]
    due = min((wait.due for wait in stop.waits if wait.due is not None), default=None)
    ahead = due if due is not None and due > axis.now else None
    form = format_minute if axis.now - axis.begins < _SHORT else format_day
    described = "; ".join(f"{form(one.begins)} {_said(Text(code=_code(stop, one)))}" for one in stop.spells)
    chart = lane_chart(spells, [one.at for one in stop.happened], ahead, axis, (_title(stop), described))
    url = "" if stop.subject == here else address_of(stop.subject)
    return Lane(stop, url, SIGNS[stop.stage], look, form(stop.spells[-1].begins), drawn(chart))


def _code(stop: Stop, spell: StateSpell) -> str:
    return f"{stop.vocabulary}.{spell.state}"


def _look(stop: Stop, state: str) -> str:
    if stop.stage is MissionStage.INCIDENT and state == "open":
        return "run"
    return LOOK.get(state, "plan")


def _title(stop: Stop) -> str:
    return make_visible(
        stop.title.render(language()) if isinstance(stop.title, Text) else localized(stop.title, language())
    )


def _said(sentence: Text) -> str:
    return sentence.render(language(), make_visible)


def _events(lanes: list[Lane]) -> Iterator[tuple[Lane, Happening]]:
    for lane in lanes:
        for one in lane.stop.happened:
            yield lane, one


def _waiting(lanes: list[Lane]) -> Iterator[Ahead]:
    for lane in lanes:
        for wait in lane.stop.waits:
            yield Ahead(wait, lane)


def _who(one: Happening, people: dict[str, str]) -> str:
    name = people.get(one.person or "", "")
    return " · ".join(make_visible(part) for part in (title_of(one.organisation), name) if part)


def _stages(found: Mission, lanes: list[Lane], acting: RequestActor) -> Iterator[dict[str, Any]]:
    """Yield each stage that has a lane, with where its other records are listed."""
    for stage in MissionStage:
        here = [lane for lane in lanes if lane.stop.stage is stage]
        more = stage in found.more
        if here:
            yield {"stage": stage.value, "lanes": here, "more": more, "more_url": _list(stage, found) if more else ""}
        if stage is MissionStage.DEMAND and here and acting.organisation and found.scenario:
            url = reverse("record-matches", kwargs={"section": "scenarios", "name": name_of(found.scenario)})
            yield {"stage": "match", "lanes": [], "url": url}


def _list(stage: MissionStage, found: Mission) -> str:
    asked = {"scenario": name_of(found.scenario)} if found.scenario else {}
    return f"{reverse('records', kwargs={'section': _LISTED[stage]})}?{urlencode(asked)}"
