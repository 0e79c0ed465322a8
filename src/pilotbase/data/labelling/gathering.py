"""The labels from the annotators of a campaign, in any number of files: all correct, or every problem at once.

Who labels what: two blind passes, each annotator with a sheet that shows nothing of the others; then an audit.

In the audit an expert labels a random sample of finished items anew: how often the final label is the expert's.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

import numpy as np

from pilotbase.data.labelling.label_studio import read_export
from pilotbase.data.labelling.label_tables import (
    LABEL_COLUMNS,
    LARGEST,
    MOST_TOLD,
    FileLabels,
    FoundLabel,
    LeftOut,
    is_name,
    read_label_table,
    read_rows,
    require_none,
)
from pilotbase.documents.errors import InputError, Issue, offer
from pilotbase.documents.files import format_csv, read_bounded
from pilotbase.documents.hashes import digest_bytes, digest_file
from pilotbase.documents.labelling import LabelledItem, LabellingCampaign, LabelSource
from pilotbase.documents.loading import load_document
from pilotbase.documents.quality import LabelAudit
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


def assign(
    campaign: LabellingCampaign, items: Sequence[str], double: float = 1.0, seed: int = 0
) -> Mapping[str, tuple[str, ...]]:
    """Return annotator → its items, in an order of its own.

    Each item is labelled once in the first pass; in the second, ``double`` of the items, drawn by chance, are labelled
    again by another annotator. Loads differ by one item a pass at most.

    Raises:
        InputError: there are none, some have no name or occur twice, or ``double`` is no share.
    """
    first, second, generator = _drawn(campaign, items, double, seed)
    found: dict[str, list[str]] = {one.name: [] for one in campaign.annotators}
    for item, name in first.items():
        found[name].append(item)
        if item in second:
            found[second[item]].append(item)
    return {name: tuple(given[place] for place in generator.permutation(len(given))) for name, given in found.items()}


def first_annotators(campaign: LabellingCampaign, items: Sequence[str], seed: int) -> Mapping[str, str]:
    """Return item → the annotator who labels it in the first pass, drawn by chance: as `assign`, whatever its share."""
    return _drawn(campaign, items, 1.0, seed)[0]


def _drawn(
    campaign: LabellingCampaign, items: Sequence[str], double: float, seed: int
) -> tuple[Mapping[str, str], Mapping[str, str], np.random.Generator]:
    if not 0 <= double <= 1:
        raise InputError("labelling.no_share", found=double)
    twice = len(items) - len(set(filter(is_name, items)))
    if twice or not items:
        raise InputError("labelling.items", count=len(items), twice=twice)
    generator = np.random.default_rng(seed)
    names, count = [one.name for one in campaign.annotators], len(items)
    order = generator.permutation(count)
    first = np.arange(count) % len(names)
    step = 1 + np.arange(count) // len(names) % (len(names) - 1)
    second = (first + step) % len(names)
    drawn = [items[place] for place in order]
    most = math.ceil(double * count)
    return (
        {item: names[first[place]] for place, item in enumerate(drawn)},
        {item: names[second[place]] for place, item in enumerate(drawn[:most])},
        generator,
    )


def format_sheet(annotator: str, items: Sequence[str]) -> bytes:
    """Return the sheet for one annotator: the items, and nobody's labels."""
    return format_csv(["item", "annotator", "label"], ([item, annotator, ""] for item in items))


def read_audit(campaign: LabellingCampaign, items: Sequence[LabelledItem], path: Path) -> LabelAudit:
    """Return how many final labels ``path`` (``item,label``) checked and how many match the expert's.

    ISO/IEC 5259-2 aligned: label accuracy, Acc-ML-7. Numbers within the campaign's tolerance are the same.

    Raises:
        InputError: every problem of the file: an item that occurs twice or has no final label, an invalid label.
    """
    final = {one.item: one.label for one in items if one.label is not None}
    seen: dict[str, str] = {}
    issues: list[Issue] = []
    for row in read_rows(path, ("item", "label")):
        item, label = row.cells.get("item"), row.cells.get("label")
        if item is None or label is None:
            problem = text("labelling.empty_cell", column="item" if item is None else "label")
        elif item in seen:
            problem = text("labelling.audited_twice", item=item)
        elif item not in final:
            problem = text("labelling.no_final_label", item=item)
        elif (unknown := label_problem(campaign, label, len(issues) < MOST_TOLD)) is not None:
            problem = unknown
        else:
            seen[item] = label
            continue
        issues.append(row.place.issue(problem))
    require_none(issues, [path.name])
    return LabelAudit(audited=len(seen), correct=sum(_same(campaign, final[item], seen[item]) for item in seen))


def _same(campaign: LabellingCampaign, final: str, expert: str) -> bool:
    if campaign.scale != "interval":
        return final == expert
    return abs(float(final) - float(expert)) <= campaign.tolerance
