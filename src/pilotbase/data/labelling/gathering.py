"""The labels from the annotators of a campaign, in any number of files: all correct, or every problem at once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from pilotbase.data.labelling.label_studio import read_export
from pilotbase.data.labelling.label_tables import (
    LABEL_COLUMNS,
    LARGEST,
    MOST_TOLD,
    FileLabels,
    FoundLabel,
    LeftOut,
    read_label_table,
    require_none,
)
from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.files import format_csv, read_bounded
from pilotbase.documents.hashes import digest_bytes, digest_file
from pilotbase.documents.labelling import LabellingCampaign, LabelSource
from pilotbase.documents.loading import load_document
from pilotbase.documents.nearest import offer
from pilotbase.documents.texts import Text, text

LONGEST_GUIDELINE = 16 << 20
_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")


@dataclass(frozen=True)
class Annotation:
    """One label of one item by one annotator, by its opaque name."""

    item: str
    annotator: str
    label: str
    at: datetime | None = None


@dataclass(frozen=True)
class Gathered:
    """All labels, what was left out of the files, and the files themselves."""

    annotations: tuple[Annotation, ...]
    left_out: Mapping[LeftOut, int]
    sources: tuple[LabelSource, ...]

    @cached_property
    def by_item(self) -> Mapping[str, tuple[Annotation, ...]]:
        """Return item → its labels, in the order in which they were read."""
        found: dict[str, list[Annotation]] = {}
        for one in self.annotations:
            found.setdefault(one.item, []).append(one)
        return {item: tuple(given) for item, given in found.items()}

    def to_json_value(self) -> dict[str, object]:
        """Return the labels and what was left out, as plain JSON."""
        labels = [
            {"item": one.item, "annotator": one.annotator, "label": one.label, "at": one.at and one.at.isoformat()}
            for one in self.annotations
        ]
        sources = [source.to_json_value() for source in self.sources]
        return {"labels": labels, "left_out": dict(self.left_out), "sources": sources}


def read_campaign(path: Path) -> LabellingCampaign:
    """Return the campaign in ``path``.

    Raises:
        InputError: all its problems; or its guideline does not match its digest.
    """
    campaign = load_document(LabellingCampaign, path)
    guideline = campaign.guideline
    found = digest_bytes(read_bounded(path.parent / guideline.file, LONGEST_GUIDELINE))
    if found != guideline.digest:
        raise InputError("labelling.guideline_changed", file=guideline.file, version=guideline.version, found=found)
    return campaign


def read_labels(campaign: LabellingCampaign, files: Sequence[Path]) -> Gathered:
    """Return the labels of ``campaign``'s annotators in ``files``.

    A ``.json`` is an export of Label Studio, anything else a table of ``item,annotator,label``.

    Raises:
        InputError: a file cannot be read; or every problem of all files: values of another form, unknown annotators,
            labels that are not the campaign's, an item labelled twice by the same annotator.
    """
    read = [_read(path, campaign) for path in files]
    found = [label for one in read for label in one.labels]
    issues = [issue for one in read for issue in one.issues]
    require_none([*issues, *_foreign(campaign, found), *_doubles(campaign, found)], [path.name for path in files])
    if not found:
        raise InputError("labelling.no_labels", file=", ".join(path.name for path in files))
    names = campaign.names
    return Gathered(
        tuple(Annotation(one.item, names[one.account], one.label, one.at) for one in found),
        sum((one.left_out for one in read), Counter[LeftOut]()),
        tuple(map(source_of, files)),
    )


def source_of(path: Path) -> LabelSource:
    """Return the name and the digest of a file."""
    return LabelSource(file=path.name, digest=digest_file(path))


def format_labels(gathered: Gathered) -> bytes:
    """Return all labels as ``item,annotator,label,at``, which `read_labels` reads back."""
    rows = ([one.item, one.annotator, one.label, one.at.isoformat() if one.at else ""] for one in gathered.annotations)
    return format_csv([*LABEL_COLUMNS, "at"], rows)


def label_problem(campaign: LabellingCampaign, label: str, asked: bool = True) -> Text | None:
    """Return why ``label`` is not one of the campaign's, None if it is; ``asked``: with a suggestion."""
    if campaign.scale != "interval":
        if label in campaign.classes:
            return None
        allowed = offer(label, campaign.classes) if asked else "…"
        return text("labelling.unknown_class", found=label, allowed=allowed)
    is_number = _NUMBER.fullmatch(label) is not None and abs(float(label)) <= LARGEST
    return None if is_number else text("labelling.no_number", found=label)


def _read(path: Path, campaign: LabellingCampaign) -> FileLabels:
    if path.suffix.lower() != ".json":
        return read_label_table(path)
    return read_export(path, campaign.label_studio)


def _foreign(campaign: LabellingCampaign, found: Sequence[FoundLabel]) -> Iterator[Issue]:
    """Yield what the campaign does not know; of thousands, only the first get a suggestion."""
    names, told = campaign.names, 0
    for one in found:
        if one.account not in names:
            allowed = offer(one.account, names) if told < MOST_TOLD else "…"
            yield one.place.issue(text("labelling.unknown_annotator", found=one.account, allowed=allowed))
            told += 1
        problem = label_problem(campaign, one.label, told < MOST_TOLD)
        if problem is not None:
            yield one.place.issue(problem)
            told += 1


def _doubles(campaign: LabellingCampaign, found: Sequence[FoundLabel]) -> Iterator[Issue]:
    names = campaign.names
    first: dict[tuple[str, str], FoundLabel] = {}
    for one in found:
        annotator = names.get(one.account, one.account)
        before = first.setdefault((one.item, annotator), one)
        if before is not one:
            place = f"{before.place.file}{before.place.path or f':{before.place.line}'}"
            yield one.place.issue(text("labelling.double_label", annotator=annotator, item=one.item, place=place))
