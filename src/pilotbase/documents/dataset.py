"""Dataset 数据集: what tables, images or other files contain, what they are fit for, and on which terms they open.

The wire format is Croissant 1.1 with RAI 1.0 (`pilotbase.data.croissant` writes and reads it); property names are
Croissant's own. What Croissant has no name for (time and group columns, rules across fields, how far a dataset is
opened) has names of ours beside it.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Annotated, ClassVar, Literal, TypeVar

import pydantic
from pydantic import BeforeValidator, StringConstraints

from pilotbase.documents.base import Day, Document, Localized, Name, Part, Step, needed_for
from pilotbase.documents.errors import offer
from pilotbase.documents.hashes import Digest
from pilotbase.documents.scenario import Contact, LanguageTag
from pilotbase.documents.scenario_data import Split
from pilotbase.documents.subjects import dataset_subject
from pilotbase.documents.terms import Offer
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Opening, Sector, Sensitivity

_MOST_PROBLEMS = 200
"""Maximum problems between parts that get suggestions: for thousands, finding what was meant would take too long."""
Version = Annotated[str, StringConstraints(pattern=r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$")]
"""MAJOR.MINOR.PATCH (Croissant 1.1, "Versioning")."""
Said = Annotated[str, StringConstraints(min_length=1, max_length=20_000)]
Term = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9+.-]*:\S+$", max_length=1000)]
"""A term of a vocabulary: an address, or a compact name such as ``cr:Label``."""
Within = Annotated[tuple[str, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)]
"""Ids of what contains it; a single one may be written without a list."""
TransformName = Literal["regex", "jsonPath", "separator", "replace", "format", "readLines", "unArchive", "samplingRate"]


class FieldType(StrEnum):
    """Croissant data types that a field may have (Croissant 1.1, ``dataType``)."""

    FLOAT = "sc:Float"
    INTEGER = "sc:Integer"
    BOOLEAN = "sc:Boolean"
    TEXT = "sc:Text"
    DATE = "sc:Date"
    DATETIME = "sc:DateTime"
    TIME = "sc:Time"
    URL = "sc:URL"
    IMAGE = "sc:ImageObject"
    AUDIO = "sc:AudioObject"
    VIDEO = "sc:VideoObject"
    BOUNDING_BOX = "cr:BoundingBox"


class FileObject(Part):
    """One file (``cr:FileObject``)."""

    kind: Literal["file"] = "file"
    id: str = pydantic.Field(min_length=1, max_length=500)
    title: Localized | str | None = None
    """Its display name, if different from its id."""
    content_url: str | None = pydantic.Field(default=None, alias="contentUrl")
    """Relative to the description's folder or to what contains it, or an address; absent if the file is closed."""
    encoding_format: tuple[str, ...] = pydantic.Field(default=(), alias="encodingFormat")
    """Media types, such as ``text/csv``."""
    content_size: int | None = pydantic.Field(default=None, alias="contentSize", ge=0)
    """Bytes."""
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None
    md5: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")] | None = None
    """Only if the description has no SHA-256; it gives no protection against deliberate changes."""
    commitment: Digest | None = None
    """Salted commitment to the bytes of a closed file; a plain hash would confirm a guess."""
    contained_in: Within = pydantic.Field(default=(), alias="containedIn")
    """Ids of the archives or sets of files that contain it."""
    description: str | None = None

    @property
    def file_name(self) -> str:
        """Return the name under which it is stored: the last part of its address, else its id."""
        return Path(self.content_url).name if self.content_url else self.id


class FileSet(Part):
    """Many files of one kind (``cr:FileSet``)."""

    kind: Literal["files"] = "files"
    id: str = pydantic.Field(min_length=1, max_length=500)
    title: Localized | str | None = None
    includes: tuple[str, ...] = pydantic.Field(min_length=1)
    """Globs, such as ``images/*.png``."""
    excludes: tuple[str, ...] = ()
    encoding_format: tuple[str, ...] = pydantic.Field(default=(), alias="encodingFormat")
    contained_in: Within = pydantic.Field(default=(), alias="containedIn")
    description: str | None = None


Resource = Annotated[FileObject | FileSet, pydantic.Field(discriminator="kind")]


class Source(Part):
    """Where the values of a field are (``cr:source``): in a resource or in another record set."""

    resource: str
    """Id of a file, a set of files, or a record set."""
    column: str | None = None
    json_path: str | None = pydantic.Field(default=None, alias="jsonPath")
    file_property: str | None = pydantic.Field(default=None, alias="fileProperty")
    transforms: tuple[tuple[TransformName, str], ...] = ()
    """Transformations of the values, in order; ``true`` means no argument."""


class Reference(Part):
    """A foreign key: a field's values occur in another field."""

    record_set: str = pydantic.Field(alias="recordSet")
    field: str


class DataField(Part):
    """A field of a record set (``cr:Field``), with what the contract promises about its values."""

    name: str = pydantic.Field(min_length=1, max_length=200)
    title: Localized | str | None = None
    data_type: FieldType | None = pydantic.Field(default=None, alias="dataType")
    """None: it has sub-fields, or its type is only in ``semantic``."""
    semantic: tuple[Term, ...] = ()
    """Further data types (``cr:Label``, ``wd:Q48277``)."""
    equivalent: tuple[Term, ...] = pydantic.Field(default=(), alias="equivalentProperty")
    """Equivalent properties of other vocabularies."""
    description: Localized | str | None = None
    unit: str | None = None
    """In UCUM notation (``Cel``, ``mm[Hg]``, ``N.m``)."""
    required: bool = False
    unique: bool = False
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = pydantic.Field(default=None, max_length=500)
    """A regular expression that the whole value must match."""
    values: tuple[str, ...] = pydantic.Field(default=(), max_length=10_000)
    """The only values allowed."""
    missing: tuple[str, ...] = ("",)
    """Spellings of a missing value."""
    references: Reference | None = None
    joins: Source | None = None
    """Where another resource has the same values, so that both form one record."""
    value: str | None = None
    """The one value that every record has, as JSON text."""
    sensitivity: Sensitivity = Sensitivity.NONE
    source: Source | None = None
    repeated: bool = False
    array_shape: Annotated[str, StringConstraints(pattern=r"^-?\d+(, ?-?\d+)*,?$")] | None = pydantic.Field(
        default=None, alias="arrayShape"
    )
    """Shape of a repeated field's values, -1 for variable lengths: ``28,28``."""
    parent: str | None = None
    """The parent field, if this is a sub-field; its name then begins with the parent's: ``place/latitude``."""

    @property
    def is_label(self) -> bool:
        """Return whether it is a field that applications learn to answer."""
        return "cr:Label" in self.semantic


class RowRule(Part):
    """A rule between the fields of every row, in the grammar of `pilotbase.data.rules`: ``start <= end``."""

    name: Name
    rule: str = pydantic.Field(min_length=1, max_length=2000)
    why: Localized | str | None = None


class KeptRule(Part):
    """A quality rule written in another format: kept for readers of that format and never run here."""

    format: Name
    field: str | None = None
    """None: the rule is for the whole record set."""
    rule: str = pydantic.Field(min_length=1, max_length=20_000)
    """As JSON text."""


class RecordSet(Part):
    """Records of one form (``cr:RecordSet``): a table, or one record per file."""

    name: str = pydantic.Field(min_length=1, max_length=200)
    title: Localized | str | None = None
    description: Localized | str | None = None
    fields: tuple[DataField, ...] = pydantic.Field(default=(), alias="field", max_length=10_000)
    key: tuple[str, ...] = ()
    """Fields that together identify a record."""
    time: str | None = None
    """The field with a record's time."""
    group: str | None = None
    """The field whose equal values belong together: a patient, a machine."""
    rules: tuple[RowRule, ...] = pydantic.Field(default=(), max_length=1000)
    kept_rules: tuple[KeptRule, ...] = pydantic.Field(default=(), alias="keptRules", max_length=10_000)
    split: Split | None = None
    """How records are split into shown and hidden ones."""
    data_type: tuple[str, ...] = pydantic.Field(default=(), alias="dataType")
    rows: int | None = pydantic.Field(default=None, ge=0)
    inline: str | None = None
    """The records themselves as JSON text, if the description contains them."""

    def field(self, name: str) -> DataField:
        """Return the field of this name; raises `KeyError`."""
        return {field.name: field for field in self.fields}[name]

    @property
    def labels(self) -> tuple[DataField, ...]:
        return tuple(field for field in self.fields if field.is_label)


class ResponsibleUse(Part):
    """The properties of Croissant RAI 1.0 on the data's origin and permitted uses, each a plain text."""

    collection: Said | None = needed_for(Step.PUBLISH)
    collection_type: tuple[str, ...] = ()
    collection_missing_data: Said | None = None
    collection_raw_data: Said | None = None
    collection_timeframe: tuple[str, ...] = ()
    preprocessing_protocol: tuple[str, ...] = ()
    imputation_protocol: Said | None = None
    manipulation_protocol: Said | None = None
    release_maintenance_plan: Said | None = None
    personal_sensitive_information: tuple[str, ...] = needed_for(Step.PUBLISH, empty=())
    annotation_protocol: Said | None = None
    annotation_platform: tuple[str, ...] = ()
    annotation_analysis: tuple[str, ...] = ()
    annotations_per_item: Said | None = None
    annotator_demographics: tuple[str, ...] = ()
    machine_annotation_tools: tuple[str, ...] = ()
    social_impact: Said | None = None
    biases: tuple[str, ...] = ()
    limitations: tuple[str, ...] = needed_for(Step.PUBLISH, empty=())
    use_cases: tuple[str, ...] = needed_for(Step.PUBLISH, empty=())


class Provenance(Part):
    """Where a dataset comes from, as addresses or names (PROV-O)."""

    derived_from: tuple[str, ...] = pydantic.Field(default=(), alias="wasDerivedFrom")
    generated_by: tuple[str, ...] = pydantic.Field(default=(), alias="wasGeneratedBy")
    attributed_to: tuple[str, ...] = pydantic.Field(default=(), alias="wasAttributedTo")


class RequiredMeasure(Part):
    """A quality measure that the declared purpose requires, and how good it must be."""

    measure: Name
    at_least: float | None = None
    at_most: float | None = None


class KeptTerm(Part):
    """Terms written in another format (price, roles, service levels): kept for that format and never evaluated here."""

    format: Name
    name: str = pydantic.Field(min_length=1, max_length=200)
    term: str = pydantic.Field(min_length=1, max_length=100_000)
    """As JSON text."""


class Dataset(Document, published=True):
    """A dataset, draft or complete; `pilotbase.documents.base.missing_for` lists what publishing still lacks."""

    times_larger: ClassVar[int] = 8  # ten thousand columns

    document: Literal["dataset/1"] = "dataset/1"
    name: Name
    title: Localized | str
    owner: Contact
    description: Localized | str | None = needed_for(Step.PUBLISH)
    sector: Sector = Sector.OTHER
    version: Version = "1.0.0"
    license: str | None = needed_for(Step.PUBLISH)
    """An SPDX name or an address."""
    url: str | None = needed_for(Step.PUBLISH)
    creator: tuple[str, ...] = needed_for(Step.PUBLISH, empty=())
    publisher: str | None = needed_for(Step.PUBLISH)
    date_published: Day | None = pydantic.Field(
        default=None, alias="datePublished", json_schema_extra={"needed_for": "publish"}
    )
    date_modified: Day | None = pydantic.Field(
        default=None, alias="dateModified", json_schema_extra={"needed_for": "publish"}
    )
    date_created: Day | None = pydantic.Field(default=None, alias="dateCreated")
    in_language: tuple[LanguageTag, ...] = pydantic.Field(
        default=(), alias="inLanguage", json_schema_extra={"needed_for": "publish"}
    )
    keywords: tuple[str, ...] = ()
    cite_as: str | None = pydantic.Field(default=None, alias="citeAs")
    live: bool = pydantic.Field(default=False, alias="isLiveDataset")
    """Its source keeps changing: a version is a snapshot of it."""
    synthetic: bool = False
    """Its records are made up, modelled on another dataset."""
    nature: Literal["measured", "simulated"] = "measured"
    distribution: tuple[Resource, ...] = ()
    record_sets: tuple[RecordSet, ...] = pydantic.Field(default=(), alias="recordSet")
    opening: Opening = Opening.COMPUTE_TO_DATA
    """How far it is opened; leaving this out opens nothing."""
    usage: Offer | None = pydantic.Field(default=None, alias="usageInfo", json_schema_extra={"needed_for": "publish"})
    """The terms on which it is opened."""
    kept_terms: tuple[KeptTerm, ...] = pydantic.Field(default=(), alias="keptTerms", max_length=100)
    responsible: ResponsibleUse = ResponsibleUse.model_construct()
    provenance: Provenance = Provenance.model_construct()
    purpose: Literal["training", "verification", "statistics"] = "verification"
    """The purpose for which its quality is graded."""
    required: tuple[RequiredMeasure, ...] = ()
    """Requirements in addition to, or instead of, the purpose's usual ones."""

    @property
    def subject(self) -> str:
        """The dataset's name across all its versions."""
        return dataset_subject(self.owner.organisation, self.name)

    def record_set(self, name: str) -> RecordSet:
        """Return the record set of this name; raises `KeyError`."""
        return {one.name: one for one in self.record_sets}[name]

    def _problems(self) -> Iterator[tuple[str, Text]]:
        return islice(self._contradictions(), _MOST_PROBLEMS)

    def _contradictions(self) -> Iterator[tuple[str, Text]]:
        yield from _doubles("distribution", "id", [resource.id for resource in self.distribution])
        yield from _doubles("recordSet", "name", [one.name for one in self.record_sets])
        resources = dict.fromkeys(resource.id for resource in self.distribution)
        for index, resource in enumerate(self.distribution):
            for holder in resource.contained_in:
                if holder not in resources:
                    yield from _unknown(f"distribution[{index}].containedIn", holder, resources)
        circling = circles({resource.id: resource.contained_in for resource in self.distribution})
        for index, resource in enumerate(self.distribution):
            if resource.id in circling:
                yield f"distribution[{index}].containedIn", text("dataset.circle", name=resource.id)
        fields = {one.name: dict.fromkeys(field.name for field in one.fields) for one in self.record_sets}
        sources = {**resources, **dict.fromkeys(fields)}
        for index, record_set in enumerate(self.record_sets):
            if record_set.name in resources:
                yield f"recordSet[{index}].name", text("dataset.double", name=record_set.name)
            yield from _record_set_problems(record_set, f"recordSet[{index}]", sources)
            yield from _reference_problems(record_set, f"recordSet[{index}]", fields)


Named = TypeVar("Named", bound=Hashable)


def circles(leads_to: Mapping[Named, Iterable[Named]]) -> frozenset[Named]:
    """Return the names from which ``leads_to`` reaches a cycle, in any number of steps."""
    left = {name: {one for one in further if one in leads_to} for name, further in leads_to.items()}
    comes_from: dict[Named, list[Named]] = {}
    for name, further in left.items():
        for one in further:
            comes_from.setdefault(one, []).append(name)
    ends = [name for name, further in left.items() if not further]
    while ends:
        end = ends.pop()
        del left[end]
        for name in comes_from.get(end, ()):
            left[name].discard(end)
            if not left[name]:
                ends.append(name)
    return frozenset(left)


def _reference_problems(
    record_set: RecordSet, path: str, fields: Mapping[str, Collection[str]]
) -> Iterator[tuple[str, Text]]:
    for number, field in enumerate(record_set.fields):
        if field.references is None:
            continue
        where, there = f"{path}.field[{number}].references", field.references
        if there.record_set not in fields:
            yield from _unknown(f"{where}.recordSet", there.record_set, fields)
        elif there.field not in fields[there.record_set]:
            yield from _unknown(f"{where}.field", there.field, fields[there.record_set])


def _record_set_problems(record_set: RecordSet, path: str, sources: Collection[str]) -> Iterator[tuple[str, Text]]:
    yield from _doubles(f"{path}.field", "name", [field.name for field in record_set.fields])
    names = dict.fromkeys(field.name for field in record_set.fields)
    for part, column in (("time", record_set.time), ("group", record_set.group)):
        if column is not None and column not in names:
            yield from _unknown(f"{path}.{part}", column, names)
    for index, column in enumerate(record_set.key):
        if column not in names:
            yield from _unknown(f"{path}.key[{index}]", column, names)
    for index, field in enumerate(record_set.fields):
        where = f"{path}.field[{index}]"
        for part, source in (("source", field.source), ("joins", field.joins)):
            if source is not None and source.resource not in sources:
                yield from _unknown(f"{where}.{part}.resource", source.resource, sources)
        if field.parent is not None and field.parent not in names:
            yield from _unknown(f"{where}.parent", field.parent, names)
        elif field.parent is not None and not field.name.startswith(f"{field.parent}/"):
            yield f"{where}.name", text("dataset.sub_field", name=field.name, parent=field.parent)
        if field.minimum is not None and field.maximum is not None and field.minimum > field.maximum:
            yield f"{where}.minimum", text("dataset.empty_range", minimum=field.minimum, maximum=field.maximum)


def _doubles(path: str, part: str, names: list[str]) -> Iterator[tuple[str, Text]]:
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            yield f"{path}[{index}].{part}", text("dataset.double", name=name)
        seen.add(name)


def _unknown(path: str, found: str, names: Collection[str]) -> Iterator[tuple[str, Text]]:
    yield path, text("dataset.unknown", found=found, allowed=offer(found, names))
