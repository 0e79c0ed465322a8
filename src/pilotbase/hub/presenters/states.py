"""How a state or a warning looks: its shape and colour beside its word, and its place on the way.

Eight states and four warnings, each with a shape of its own; red is for what is bad alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from pilotbase.documents.states import (
    PREPARED,
    AgreementState,
    ApplicationState,
    CommissionState,
    DatasetState,
    RecordState,
    ScenarioState,
)
from pilotbase.documents.texts import Text

_LOOKS = {
    "plan": "draft proposed countered offered asked",
    "wait": "review due queued plan_review waiting human consent",
    "run": "running freezing signing rehearsing rectification retest reported",
    "pass": "open submitted registered certified accepted frozen plan_approved agreed accept valid done finished good "
    "filed pass fits green serving published in_force granted paid met delivered mitigated",
    "fail": "revoked refused reject fail invalid failed expired key_is_revoked key_is_expired broken given_up",
    "open": "inconclusive unknown missing",
    "hold": "suspended fallen_back silenced",
    "end": "closed withdrawn declined cancelled stopped stopping ended not_measured",
    **{colour: colour for colour in ("blue", "yellow", "orange", "red")},
}
LOOK = {state: look for look, states in _LOOKS.items() for state in states.split()}
"""State → class of the stylesheet and shape of the sprite; what is not here is drawn as a plan."""

_C = CommissionState
_WAYS: dict[str, dict[str, tuple[RecordState, ...]]] = {
    "scenario": {state: (state,) for state in ScenarioState if state is not ScenarioState.WITHDRAWN},
    "application": {state: (state,) for state in ApplicationState if state is not ApplicationState.WITHDRAWN},
    "dataset": {"draft": (DatasetState.DRAFT,), "published": (DatasetState.PUBLISHED,)},
    "agreement": {
        "offered": (AgreementState.OFFERED, AgreementState.ASKED),
        "agreed": (AgreementState.AGREED,),
        "in_force": (AgreementState.IN_FORCE,),
    },
    "commission": {
        "commission": (_C.PROPOSED, _C.COUNTERED),
        "plan": PREPARED,
        "frozen": (_C.FREEZING, _C.FROZEN),
        "run": (_C.QUEUED, _C.RUNNING, _C.CONSENT, _C.JUDGING),
        "report": (_C.REPORTED, _C.REFUSED, _C.RECTIFICATION),
        "acceptance": (_C.ACCEPTED,),
        "certificate": (_C.SIGNING, _C.CERTIFIED, _C.SUSPENDED, _C.EXPIRED, _C.REVOKED),
    },
}
"""Kind of record → stage of its way, in order → the states in which a record is there."""


@dataclass(frozen=True)
class RecordStage:
    """One stage of a record's way."""

    label: Text
    place: str
    """``done``, ``now`` or ``later``; names: text ``hub.way_<place>``."""


def way(kind: str, state: str) -> list[RecordStage]:
    """Return the stages of a record's way with where it is; none where it has left its way, such as withdrawn."""
    stages = _WAYS.get(kind, {})
    here = next((number for number, states in enumerate(stages.values()) if state in states), None)
    if here is None:
        return []
    places = ["done"] * here + ["now"] + ["later"] * len(stages)
    return [RecordStage(Text(code=f"hub.way.{name}"), place) for name, place in zip(stages, places, strict=False)]
