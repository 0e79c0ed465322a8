"""Labelling rounds over the API: opened, labelled blind, decided and published."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import pydantic

from pilotbase.documents.api.shapes import RequestModel, ResponseModel
from pilotbase.documents.figures import EpisodeStep
from pilotbase.documents.labelling import MOST_ITEMS, LabelQuality
from pilotbase.documents.probes import LONGEST_GUIDELINE
from pilotbase.documents.quality import GuidelineVersion, LabelStatement
from pilotbase.documents.scenario_data import Label

Word = Annotated[str, pydantic.StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
Class = Annotated[Label, pydantic.StringConstraints(max_length=200)]
Reason = Annotated[str, pydantic.StringConstraints(max_length=2000, pattern=r"^[^\x00]*$")]


class RoundParticipant(RequestModel):
    """A participant in a round: an account of an organisation."""

    organisation: Word
    person: Word
    """The person's opaque identifier, as in the list of an organisation's members."""
    account: str = pydantic.Field("", max_length=100, pattern=r"^[^\x00]*$")
    """How exports of Label Studio name this annotator, such as the user's number."""


class NewRound(RequestModel):
    """A labelling round over items of a dataset whose file the base keeps."""

    name: Annotated[str, pydantic.StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
    guideline_version: GuidelineVersion
    guideline: Annotated[
        str, pydantic.StringConstraints(min_length=1, max_length=LONGEST_GUIDELINE, pattern=r"^[^\x00]*$")
    ]
    scale: Literal["nominal", "ordinal"] = "nominal"
    classes: Annotated[list[Class], pydantic.Field(min_length=2, max_length=50)]
    record_set: str = pydantic.Field("", max_length=200, pattern=r"^[^\x00]*$")
    """Empty: the first one whose table the base keeps."""
    shown: list[Word] = pydantic.Field(default_factory=list, max_length=100)
    """Fields that labellers see; None: all except labels."""
    items: int = pydantic.Field(200, ge=1, le=MOST_ITEMS)
    annotators: Annotated[list[RoundParticipant], pydantic.Field(min_length=2, max_length=2)]
    adjudicator: RoundParticipant


class NewPanel(RequestModel):
    """The experts who judge a trial's answers: two, and who decides where they differ; no one from the supplier."""

    annotators: Annotated[list[RoundParticipant], pydantic.Field(min_length=2, max_length=2)]
    adjudicator: RoundParticipant


class RoundTold(ResponseModel):
    """A round, as every participant sees it."""

    identity: str
    name: str
    dataset: str
    guideline_version: str
    classes: list[str]
    opened_at: datetime
    stage: str
    """``preparing``, ``failed``, ``open``, ``closing``, ``deciding``, ``decided``, ``published``."""
    reason: str | None
    """Why preparing, closing or an import failed."""
    part: str
    """``a1``, ``a2`` or ``judge`` for a participant; empty for the owner and the base."""


class ItemTold(ResponseModel):
    """One item, as shown to the person who labels or decides it."""

    item: str
    place: int
    of: int
    fields: dict[str, str]
    dialogue: list[EpisodeStep]
    """Of an episode that is judged: who did or said what, and what came back; else empty."""
    given: str | None
    """The caller's own label, or decision."""
    differing: list[str]
    """For the adjudicator: the labels given, in random order and without names."""


class SheetTold(RoundTold):
    """A round for one participant: the progress so far, and the item to look at."""

    guideline: str
    done: int
    of: int
    item: ItemTold | None


class RoundDetail(RoundTold):
    """A round for the owner of the dataset: counts, and agreement once it is closed. It contains nobody's labels."""

    progress: dict[str, int]
    """Opaque name → items labelled, or decided."""
    items: int
    quality: LabelQuality | None
    statement: LabelStatement | None
    trial: str | None = None
    """The trial whose answers are judged, if it is such a round."""
