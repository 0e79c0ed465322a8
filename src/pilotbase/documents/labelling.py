"""Labelling 标注: a campaign of blind annotators, what they labelled, and how good the labels are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal, Self

import pydantic
from pydantic import StringConstraints, model_validator

from pilotbase.documents.base import Document, Moment, Name, Part, Sentence
from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.hashes import Digest, hex_of
from pilotbase.documents.label_statement import FigureName, GuidelineVersion, LabelAudit, LabelFigure, LabelStatement
from pilotbase.documents.scenario import Label
from pilotbase.documents.subjects import Subject, holder_of
from pilotbase.documents.texts import Text, text

Scale = Literal["nominal", "ordinal", "interval"]
"""Classes without an order, classes from the lowest to the highest, or numbers."""
ColumnName = Annotated[str, StringConstraints(min_length=1, max_length=200)]
JUDGE = "judge"
ANNOTATORS = ("a1", "a2")
MOST_ITEMS = 2000
LONGEST_GUIDELINE = 50_000
Identity = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Guideline(Part):
    """The text by which annotators label, pinned: another text is another campaign."""

    version: GuidelineVersion
    file: str
    """Relative to the campaign's folder."""
    digest: Digest
    """Of the bytes of ``file``; checked whenever the campaign is read."""


class Annotator(Part):
    """Who labels, by an opaque name; whoever needs the person's name keeps it elsewhere."""

    name: Name
    accounts: tuple[Label, ...] = pydantic.Field(default=(), max_length=20)
    """How files name the annotator, such as the user's number in Label Studio; the name itself always counts."""


class LabelStudioPlaces(Part):
    """Where an export of Label Studio holds what is asked for."""

    control: ColumnName | None = None
    """Name of the control tag (``from_name``); needed where a project has several, and for JSON_MIN."""
    item: ColumnName | None = None
    """Field of a task's ``data`` that names the item; the number of the task when not set."""


class LabellingCampaign(Document):
    """Who labels what by which guideline. No annotator is told what another one has labelled."""

    document: Literal["labelling/1"] = "labelling/1"
    name: Name
    of: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    """The scenario or dataset whose items are labelled."""
    guideline: Guideline
    scale: Scale = "nominal"
    classes: tuple[Label, ...] = pydantic.Field(default=(), max_length=200)
    """All that may be given, on an ordinal scale from the lowest to the highest; none on an interval scale."""
    tolerance: float = pydantic.Field(default=0, ge=0, le=1e15)
    """Numbers no further apart agree (interval scale only)."""
    annotators: tuple[Annotator, ...] = pydantic.Field(min_length=2, max_length=200)
    adjudicator: Name | None = None
    """Who decides where annotators differ; no annotator."""
    label_studio: LabelStudioPlaces = LabelStudioPlaces()

    stand_ins: ClassVar[dict[str, Any]] = {"name": "campaign", "of": "-"}

    @property
    def names(self) -> dict[str, str]:
        """Return what a file may call an annotator → the opaque name."""
        return {known: one.name for one in self.annotators for known in (one.name, *one.accounts)}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        problems = [Issue(file="", path=path, problem=problem) for path, problem in self._problems()]
        if problems:
            raise InputError.from_issues("", problems)
        return self

    def _problems(self) -> Iterator[tuple[str, Text]]:
        numeric = self.scale == "interval"
        if numeric and self.classes:
            yield "classes", text("labelling.no_classes")
        if not numeric and len(set(self.classes)) < 2:
            yield "classes", text("labelling.two_classes", scale=self.scale)
        if not numeric and self.tolerance:
            yield "tolerance", text("labelling.no_tolerance", scale=self.scale)
        yield from (
            (f"classes[{place}]", text("labelling.double_class", found=label))
            for place, label in enumerate(self.classes)
            if label in self.classes[:place]
        )
        seen: set[str] = set()
        for place, one in enumerate(self.annotators):
            for known in dict.fromkeys((one.name, *one.accounts)):
                if known in seen:
                    yield f"annotators[{place}]", text("labelling.double_annotator", found=known)
                seen.add(known)
        if self.adjudicator in seen:
            yield "adjudicator", text("labelling.adjudicator_labels", found=self.adjudicator)


class ClassAgreement(Part):
    """How far annotators agree on one class: of the labels that say it, paired with another, the share that meet it."""

    label: Label
    labels: int
    """Labels of this class among items that several have labelled."""
    value: float | None = None
    """None where nobody has given it."""


class ConfusedPair(Part):
    """How often two labels met on one item, whichever annotator gave which."""

    first: Label
    second: Label
    pairs: int


class LabelQuality(Document):
    """How good the labels of a campaign are: agreement before anything was decided, and audited accuracy after."""

    document: Literal["label_quality/1"] = "label_quality/1"
    campaign: Digest
    guideline: GuidelineVersion
    scale: Scale
    items: int
    """Items that anybody has labelled."""
    labels: int
    double_labelled: int
    """Items that two or more have labelled."""
    disagreements: int
    """Double-labelled items whose labels differ."""
    adjudicated: int
    undecided: int
    """Disagreements that nobody has decided yet; they have no final label."""
    figures: tuple[LabelFigure, ...]
    by_class: tuple[ClassAgreement, ...] = ()
    confusion: tuple[ConfusedPair, ...] = ()
    """Pairs of equal labels included; none on an interval scale."""
    audit: LabelAudit | None = None

    def figure(self, measure: FigureName) -> LabelFigure:
        """Return the figure of that name; raises `KeyError`."""
        return {figure.measure: figure for figure in self.figures}[measure]

    def statement(self) -> LabelStatement:
        """Return what a scenario states of these labels."""
        agreement = self.figure("krippendorff_alpha")
        return LabelStatement(guideline=self.guideline, agreement=agreement, audit=self.audit, quality=self.digest())


class GivenLabel(Part):
    """What one annotator has given, and when, where the file says so."""

    annotator: Name
    label: Label
    at: Moment | None = None


class LabelledItem(Part):
    """One item: its final label, and how it came about."""

    item: str
    label: Label | None = None
    """None while annotators differ and nobody has decided."""
    how: Literal["alone", "agreed", "decided", "undecided"]
    given: tuple[GivenLabel, ...]
    reason: Sentence | None = None
    """Why the adjudicator has decided so."""
    decided_at: Moment | None = None


class LabelSource(Part):
    """A file from which labels were read."""

    file: str
    digest: Digest


class LabelledItems(Document):
    """Where final labels come from: who labelled what and when, and what was decided why."""

    document: Literal["labelled_items/1"] = "labelled_items/1"
    campaign: Digest
    guideline: Guideline
    adjudicator: Name | None = None
    sources: tuple[LabelSource, ...]
    items: tuple[LabelledItem, ...]


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
