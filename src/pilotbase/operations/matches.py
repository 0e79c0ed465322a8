"""Matches: what may fit what is on the hub, or what is sent, the map of gaps, and who takes which demand.

All is cut to the caller.
"""

from __future__ import annotations

from typing import Annotated, Generic, Literal

import pydantic
from pydantic import StringConstraints

from pilotbase.documents.api.records import ListedRecord
from pilotbase.documents.api.shapes import InAddress, RequestModel
from pilotbase.documents.base import NAME, Localized, Name, Note, Trimmed
from pilotbase.documents.demand import LONGEST_DEMAND, LONGEST_TITLE, DemandDraft
from pilotbase.documents.matching import Assignment, FollowedRecord, GapMap, Matches, OfferedApplication
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import Record
from pilotbase.documents.scenario import Scenario
from pilotbase.operations.operation import NOTHING, PATH, NoInput, Operation, Repeated, Sent, With


class OfRecord(RequestModel):
    """Which scenario, or application."""

    owner: Annotated[Name, PATH]
    name: Annotated[Name, PATH]


class OfRecordWith(OfRecord, With[Sent], Generic[Sent]):
    """A body about a scenario, or an application."""


class Demand(RequestModel):
    """A demand in words, Chinese or English."""

    text: str = pydantic.Field(min_length=1, max_length=LONGEST_DEMAND)


DraftedBy = Literal["terms", "model"]


class DemandToDraft(Demand):
    """A demand in words that is to be drafted."""

    by: DraftedBy = "terms"
    """``model``: a language model that the operator has set up is asked as well."""


class NewDemand(Demand):
    """A demand that is registered in words, without data."""

    title: Annotated[str, Trimmed(LONGEST_TITLE, min_length=0)] | Localized = ""
    """Empty: the first sentence."""
    apart: Note = ""
    """Why it stands apart from what is on the base already, where that is much alike."""
    joins: Annotated[str, StringConstraints(pattern=rf"^((demand|scenario):{NAME}/{NAME})?$")] = ""
    """The demand of another, with data or in words, that it joins as a further site once its owner agrees."""


class PlacesAsked(InAddress):
    """How many demands each supplier can take."""

    capacity: int = pydantic.Field(1, ge=0, le=9999)
    """Of each supplier that ``places`` does not name."""
    places: str = pydantic.Field("", max_length=50_000, pattern=rf"^({NAME}=\d{{1,4}}(,{NAME}=\d{{1,4}})*)?$")
    """Such as ``acme=3,globex=0``."""

    @property
    def capacities(self) -> dict[str, int]:
        """Return supplier → places."""
        told = (one.partition("=") for one in self.places.split(",") if one)
        return {name: int(number) for name, _, number in told}


class FollowAsked(RequestModel):
    """The record whose matches the caller wants to follow, or to stop following."""

    subject: Annotated[str, StringConstraints(pattern=rf"^(demand|scenario|application):{NAME}/{NAME}$")]
    follow: bool = True


A_SCENARIO = {
    "document": "scenario/1",
    "name": "milling",
    "title": {"en": "Tool wear", "zh": "刀具磨损"},
    "owner": {"organisation": "plant"},
    "problem": {"en": "Which cuts break the tool?", "zh": "哪些切削会断刀？"},
    "data": {
        "file": "milling.csv",
        "fields": [
            {"name": "torque", "dataType": "sc:Float", "unit": "Nm"},
            {"name": "broken", "dataType": "sc:Boolean"},
        ],
        "target": "broken",
    },
    "task": "classification",
    "positive": "true",
}
AN_APPLICATION = {
    "document": "application/1",
    "name": "forest",
    "version": "1.0.0",
    "title": {"en": "Forest", "zh": "森林"},
    "supplier": {"organisation": "acme"},
    "licence": "Apache-2.0",
    "model_card": {"summary": {"en": "Warns of tool wear.", "zh": "预警刀具磨损。"}},
}
_SPINDLES = {"text": "我们车间的铣床主轴说坏就坏，每次停机损失 3 万元，希望提前半天知道。数据不出厂。"}
_OWN = "members, for themselves"
GAPS = Operation("matches.gaps", "GET /matches/gaps", NoInput, GapMap)
ASSIGNMENT = Operation("matches.assignment", "GET /matches/assignment", PlacesAsked, Assignment)
FOLLOWED = Operation("matches.followed", "GET /matches/followed", NoInput, list[FollowedRecord], only=_OWN)
FOLLOW = Operation(
    "matches.follow",
    "POST /matches/followed",
    FollowAsked,
    NOTHING,
    only=_OWN,
    repeated=Repeated.HARMLESS,
    example={"subject": "scenario:plant/milling"},
)
SCENARIO = Operation("matches.scenario", "GET /matches/scenarios/{owner}/{name}", OfRecord, Matches)
REGISTER = Operation(
    "matches.register",
    "PUT /demands/{owner}/{name}",
    OfRecordWith[NewDemand],
    Record,
    who=Act.DEMAND_REGISTER,
    example=_SPINDLES,
)
SITES = Operation("matches.sites", "GET /demands/{owner}/{name}/sites", OfRecord, list[ListedRecord])
SCENARIO_SITES = Operation(
    "matches.scenario_sites", "GET /scenarios/{owner}/{name}/sites", OfRecord, list[ListedRecord]
)
IN_WORDS = Operation("matches.worded", "GET /matches/demands/{owner}/{name}", OfRecord, Matches)
APPLICATION = Operation("matches.application", "GET /matches/applications/{owner}/{name}", OfRecord, Matches)
PROVIDERS = Operation("matches.providers", "GET /matches/scenarios/{owner}/{name}/providers", OfRecord, Matches)
WORDED_PROVIDERS = Operation(
    "matches.worded_providers", "GET /matches/demands/{owner}/{name}/providers", OfRecord, Matches
)
CAPABILITY = Operation("matches.capability", "GET /matches/capabilities/{owner}/{name}", OfRecord, Matches)
SENT_SCENARIO = Operation(
    "matches.sent_scenario",
    "POST /matches/scenarios",
    With[Scenario],
    Matches,
    repeated=Repeated.HARMLESS,
    example=A_SCENARIO,
)
SENT_APPLICATION = Operation(
    "matches.sent_application",
    "POST /matches/applications",
    With[OfferedApplication],
    Matches,
    repeated=Repeated.HARMLESS,
    example={"application": AN_APPLICATION},
)
DEMAND = Operation(
    "matches.demand",
    "POST /matches/demands",
    DemandToDraft,
    DemandDraft,
    repeated=Repeated.HARMLESS,
    example=_SPINDLES,
)
