"""How a watch stood before: since when a column has drifted, and what earlier armings had come to.

A path is not kept when a watch is armed anew, its warnings are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from pilotbase.documents.api.watch import RaisedWarning
from pilotbase.documents.service import CertifiedRoute, Service
from pilotbase.documents.vocabularies import Colour, Signal
from pilotbase.documents.watch import RiskWarning, Watch
from pilotbase.workspace.store import View

_STORED, _SHOWN = 200, 10
_COLOURS = list(Colour)


@dataclass(frozen=True)
class EarlierArming:
    """From when what was watched, and the highest colour of each detector that had one."""

    armed_at: datetime
    watched: str
    warnings: tuple[RiskWarning, ...]


@dataclass(frozen=True)
class ColourSpell:
    """A time during which something had a colour."""

    begins: datetime
    ends: datetime
    colour: Colour


def drift_spells(raised: Sequence[RaisedWarning], begins: datetime, ends: datetime) -> dict[str, list[ColourSpell]]:
    """Return column → how long it had which colour; of a column that is not drifting the last spell has ended."""
    spells = defaultdict[str, list[ColourSpell]](list)
    until = dict[str, datetime]()
    for one in raised:  # newest first
        warning = one.warning
        if warning.signal is Signal.DRIFT and warning.at >= begins:
            column = warning.detector.partition(":")[2]
            if warning.colour is not Colour.GREEN:
                began = max(warning.began, begins)
                spells[column].insert(0, ColourSpell(began, max(until.get(column, ends), began), warning.colour))
            until[column] = warning.began
    return spells


def earlier_armings(
    view: View, service: Service, current: Watch | None, raised: Sequence[RaisedWarning]
) -> list[EarlierArming]:
    """Return the armings before the one that stands now, newest first; ``raised`` is what the service was warned of."""
    found = [one.load(Watch) for one in view.find("watch", {"service": service.name}, _STORED)]
    armings = {one.armed_at: one for one in found if one.armed_at is not None}
    begun = sorted(armings)
    ends = dict(pairwise([*begun, None]))
    now = current.armed_at if current is not None else None
    earlier = [at for at in reversed(begun) if at != now][:_SHOWN]
    return [EarlierArming(at, _watched(service, armings[at]), _highest(raised, at, ends[at])) for at in earlier]


def _watched(service: Service, watch: Watch) -> str:
    """Return name and version of what was watched, as far as the service still has it; of others a dash."""
    for route in service.routes:
        if isinstance(route, CertifiedRoute) and route.certificate == watch.certificate:
            return f"{route.application.name} {route.application.version}"
    return "–"


def _highest(raised: Sequence[RaisedWarning], begins: datetime, ends: datetime | None) -> tuple[RiskWarning, ...]:
    highest = dict[str, RiskWarning]()
    for warning in reversed([one.warning for one in raised]):
        inside = warning.at >= begins and (ends is None or warning.at < ends)
        known = highest.get(warning.detector)
        rank = _COLOURS.index(warning.colour)
        if inside and rank > _COLOURS.index(known.colour if known else Colour.GREEN):
            highest[warning.detector] = warning
    return tuple(sorted(highest.values(), key=lambda one: -_COLOURS.index(one.colour)))
