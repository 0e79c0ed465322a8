"""Labelling 标注: a campaign of blind annotators, what they labelled, and how good the labels are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

import pydantic
from pydantic import StringConstraints

from pilotbase.documents.base import Document, Moment, Name, Part, Sentence
from pilotbase.documents.hashes import Digest, hex_of
from pilotbase.documents.probes import LONGEST_GUIDELINE as LONGEST_GUIDELINE
from pilotbase.documents.quality import FigureName, GuidelineVersion, LabelAudit, LabelFigure, LabelStatement
from pilotbase.documents.scenario_data import Label
from pilotbase.documents.subjects import Subject, holder_of
from pilotbase.documents.texts import Text, text

Scale = Literal["nominal", "ordinal", "interval"]
"""Classes without an order, classes from the lowest to the highest, or numbers."""
ColumnName = Annotated[str, StringConstraints(min_length=1, max_length=200)]
JUDGE = "judge"
ANNOTATORS = ("a1", "a2")
MOST_ITEMS = 2000
Identity = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Guideline(Part):
    """The guideline for annotators, pinned: another text means another campaign."""

    version: GuidelineVersion
    file: str
    """Relative to the campaign's folder."""
    digest: Digest
    """Digest of the bytes of ``file``; checked whenever the campaign is read."""


class Annotator(Part):
    """An annotator, by an opaque name; anyone who needs the person's name keeps it elsewhere."""

    name: Name
    accounts: tuple[Label, ...] = pydantic.Field(default=(), max_length=20)
    """Names of the annotator in files, such as the user's number in Label Studio; the name itself always counts."""


class LabelStudioPlaces(Part):
    """Where an export of Label Studio contains the labels."""

    control: ColumnName | None = None
    """Name of the control tag (``from_name``); needed for JSON_MIN and if a project has several."""
    item: ColumnName | None = None
    """Field of a task's ``data`` that names the item; the number of the task when not set."""


class LabellingCampaign(Document, published=True):
    """Who labels what by which guideline. No annotator sees another's labels."""

    document: Literal["labelling/1"] = "labelling/1"
    name: Name
    of: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    """The scenario or dataset whose items are labelled."""
    guideline: Guideline
    scale: Scale = "nominal"
    classes: tuple[Label, ...] = pydantic.Field(default=(), max_length=200)
    """All allowed classes, on an ordinal scale from lowest to highest; empty on an interval scale."""
    tolerance: float = pydantic.Field(default=0, ge=0, le=1e15)
    """Numbers that differ by no more than this agree (interval scale only)."""
    annotators: tuple[Annotator, ...] = pydantic.Field(min_length=2, max_length=200)
    adjudicator: Name | None = None
    """Who decides when annotators differ; not an annotator."""
    label_studio: LabelStudioPlaces = LabelStudioPlaces.model_construct()

    stand_ins: ClassVar[dict[str, Any]] = {"name": "campaign", "of": "-"}

    @property
    def names(self) -> dict[str, str]:
        """Return the annotators' names in files → their opaque names."""
        return {known: one.name for one in self.annotators for known in (one.name, *one.accounts)}

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
    """How far annotators agree on one class: the share of its paired labels that meet the same class."""

    label: Label
    labels: int
    """Labels of this class among items that several annotators have labelled."""
    value: float | None = None
    """None if nobody has given it."""


class ConfusedPair(Part):
    """How often two labels met on one item, regardless of which annotator gave which."""

    first: Label
    second: Label
    pairs: int


class LabelQuality(Document, published=True):
    """How good the labels of a campaign are: agreement before adjudication, and audited accuracy after it."""

    document: Literal["label_quality/1"] = "label_quality/1"
    campaign: Digest
    guideline: GuidelineVersion
    scale: Scale
    items: int
    """Items with any label."""
    labels: int
    double_labelled: int
    """Items that two or more annotators have labelled."""
    disagreements: int
    """Double-labelled items whose labels differ."""
    adjudicated: int
    undecided: int
    """Disagreements not yet decided; they have no final label."""
    figures: tuple[LabelFigure, ...]
    by_class: tuple[ClassAgreement, ...] = ()
    confusion: tuple[ConfusedPair, ...] = ()
    """Includes pairs of equal labels; empty on an interval scale."""
    audit: LabelAudit | None = None

    def figure(self, measure: FigureName) -> LabelFigure:
        """Return the figure of this name; raises `KeyError`."""
        return {figure.measure: figure for figure in self.figures}[measure]

    def statement(self) -> LabelStatement:
        """Return what a scenario states about these labels."""
        agreement = self.figure("krippendorff_alpha")
        return LabelStatement(guideline=self.guideline, agreement=agreement, audit=self.audit, quality=self.digest())


class GivenLabel(Part):
    """The label that one annotator has given, and when, if the file says so."""

    annotator: Name
    label: Label
    at: Moment | None = None


class LabelledItem(Part):
    """One item: its final label, and how it was reached."""

    item: str
    label: Label | None = None
    """None while annotators differ and the item is undecided."""
    how: Literal["alone", "agreed", "decided", "undecided"]
    given: tuple[GivenLabel, ...]
    reason: Sentence | None = None
    """Why the adjudicator decided so."""
    decided_at: Moment | None = None


class LabelSource(Part):
    """A file that labels were read from."""

    file: str
    digest: Digest


class LabelledItems(Document, published=True):
    """Where final labels come from: who labelled what and when, and the decisions with their reasons."""

    document: Literal["labelled_items/1"] = "labelled_items/1"
    campaign: Digest
    guideline: Guideline
    adjudicator: Name | None = None
    sources: tuple[LabelSource, ...]
    items: tuple[LabelledItem, ...]


class PanelSheet(Document):
    """The answers of a trial that experts judge, sealed. Only the base sees it."""

    document: Literal["panel-sheet/1"] = "panel-sheet/1"
    plan: Digest
    items: tuple[str, ...]
    """Names by place in the secret order, which tell nothing of the cases."""
    blob: Digest
    scores: Digest | None = None
    """Of a judge's scores of all answers; they are fixed before."""


class PanelVerdicts(Document):
    """What experts said of a trial's answers, and how far they agreed. Only the owner of the scenario sees it."""

    document: Literal["panel-verdicts/1"] = "panel-verdicts/1"
    plan: Digest
    labelled: LabelledItems
    quality: LabelQuality


class Labeller(Part):
    """A participant in a round: an opaque name for anything shown about labels, and an account for access."""

    name: Name
    organisation: Name
    person: str = pydantic.Field(min_length=1, max_length=120)


class LabellingRound(Document):
    """A round as its owner has opened it. It contains no items."""

    document: Literal["labelling-round/1"] = "labelling-round/1"
    dataset: Subject
    version: Digest
    record_set: str
    key: str
    """The field that identifies an item."""
    key_column: str
    """Its name in the file."""
    shown: tuple[str, ...] = pydantic.Field(min_length=1, max_length=100)
    """The fields that labellers see."""
    campaign: LabellingCampaign
    guideline: str = pydantic.Field(min_length=1, max_length=LONGEST_GUIDELINE)
    """The text whose digest the campaign pins."""
    labellers: tuple[Labeller, ...] = pydantic.Field(min_length=3, max_length=3)
    """Two annotators, then the adjudicator."""
    items: int = pydantic.Field(ge=1, le=MOST_ITEMS)
    """Maximum number of items, drawn at random."""
    opened_at: Moment
    trial: Subject | None = None
    """The commission whose answers are judged, if it is such a round: ``dataset`` is then its scenario, ``version`` its
    plan."""
    images: tuple[str, ...] | None = None
    """Fields of its answers that are images."""
    cases_of: Subject | None = None
    """The dataset that the cases of this commission come from, if any."""

    @property
    def identity(self) -> str:
        """The identifier of the round, 64 hex digits."""
        return hex_of(self.digest())

    @property
    def dataset_owner(self) -> str:
        return holder_of(self.dataset)

    def labeller(self, organisation: str, person: str | None) -> Labeller | None:
        """Return the participant who is this person of this organisation; None if there is none."""
        found = (one for one in self.labellers if (one.organisation, one.person) == (organisation, person))
        return next(found, None)


class KeptItems(Document):
    """Items of a round that one labeller may see: sealed, in that labeller's own order. Only the base sees this."""

    document: Literal["labelling-items/1"] = "labelling-items/1"
    round: Identity
    labeller: Name
    order: tuple[str, ...]
    """Names of the items."""
    blob: Digest


class GivenOnHub(Document):
    """A label that an annotator has given, or a decision. Only the base sees it, so nobody learns another's label."""

    document: Literal["hub-label/1"] = "hub-label/1"
    round: Identity
    labeller: Name
    item: str
    label: Label
    reason: Sentence | None = None
    at: Moment


class RoundClosed(Document):
    """The closing of a round: no more labels are accepted. It says on how many items the annotators differ."""

    document: Literal["labelling-closed/1"] = "labelling-closed/1"
    round: Identity
    labelled: int
    differing: int
    at: Moment


class PublishedLabels(Document):
    """What a dataset's owner publishes about its labels: only agreement, and no label."""

    document: Literal["published-labels/1"] = "published-labels/1"
    dataset: Subject
    version: Digest
    round: Identity
    statement: LabelStatement
    at: Moment
