"""Labelling on a hub: a round of two blind annotators and an adjudicator, by account, over items of a dataset."""

from __future__ import annotations

from typing import Annotated, Literal

import pydantic
from pydantic import StringConstraints

from pilotbase.documents.base import Document, Moment, Name, Part, Sentence
from pilotbase.documents.hashes import Digest, hex_of
from pilotbase.documents.label_statement import LabelStatement
from pilotbase.documents.labelling import LabellingCampaign
from pilotbase.documents.scenario import Label
from pilotbase.documents.subjects import Subject, holder_of

JUDGE = "judge"
ANNOTATORS = ("a1", "a2")
MOST_ITEMS = 2000
LONGEST_GUIDELINE = 50_000
Identity = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Labeller(Part):
    """Who has a part in a round: by an opaque name in what is told of labels, by an account for who lets them in."""

    name: Name
    organisation: Name
    person: str = pydantic.Field(min_length=1, max_length=120)


class LabellingRound(Document):
    """A round as its owner has opened it. Nothing of an item stands here."""

    document: Literal["labelling-round/1"] = "labelling-round/1"
    dataset: Subject
    version: Digest
    record_set: str
    key: str
    """The field that names an item."""
    key_column: str
    """What the file calls it."""
    shown: tuple[str, ...] = pydantic.Field(min_length=1, max_length=100)
    """The fields that labellers see."""
    campaign: LabellingCampaign
    guideline: str = pydantic.Field(min_length=1, max_length=LONGEST_GUIDELINE)
    """The text whose digest the campaign pins."""
    labellers: tuple[Labeller, ...] = pydantic.Field(min_length=3, max_length=3)
    """Two annotators, then who decides."""
    items: int = pydantic.Field(ge=1, le=MOST_ITEMS)
    """So many at most, drawn by chance."""
    opened_at: Moment

    @property
    def identity(self) -> str:
        """What names it, 64 hex digits."""
        return hex_of(self.digest())

    @property
    def dataset_owner(self) -> str:
        return holder_of(self.dataset)

    def labeller(self, organisation: str, person: str | None) -> Labeller | None:
        """Return which part a person has for an organisation, None for no part."""
        found = (one for one in self.labellers if (one.organisation, one.person) == (organisation, person))
        return next(found, None)


class KeptItems(Document):
    """Items of a round that one labeller may see: sealed, in that labeller's own order. The base alone sees this."""

    document: Literal["labelling-items/1"] = "labelling-items/1"
    round: Identity
    labeller: Name
    order: tuple[str, ...]
    """Names of the items."""
    blob: Digest


class GivenOnHub(Document):
    """A label that an annotator has given, or a decision. The base alone sees it: so nobody learns another's."""

    document: Literal["hub-label/1"] = "hub-label/1"
    round: Identity
    labeller: Name
    item: str
    label: Label
    reason: Sentence | None = None
    at: Moment


class RoundClosed(Document):
    """That no label is taken any more, and on how many items the annotators differ."""

    document: Literal["labelling-closed/1"] = "labelling-closed/1"
    round: Identity
    labelled: int
    differing: int
    at: Moment


class PublishedLabels(Document):
    """What the owner of a dataset says of its labels, for everybody: agreement alone, and no label."""

    document: Literal["published-labels/1"] = "published-labels/1"
    dataset: Subject
    version: Digest
    round: Identity
    statement: LabelStatement
    at: Moment
