"""Who labels what: two blind passes, each annotator with a sheet that shows nothing of the others; then an audit.

In the audit an expert labels a random sample of finished items anew: how often the final label is the expert's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from pilotbase.data.labelling.gathering import label_problem
from pilotbase.data.labelling.label_tables import MOST_TOLD, is_name, read_rows, require_none
from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.files import format_csv
from pilotbase.documents.label_statement import LabelAudit
from pilotbase.documents.labelling import LabelledItem, LabellingCampaign
from pilotbase.documents.texts import text


def assign(
    campaign: LabellingCampaign, items: Sequence[str], double: float = 1.0, seed: int = 0
) -> Mapping[str, tuple[str, ...]]:
    """Return annotator → its items, in an order of its own.

    Each item is labelled once in the first pass; in the second, ``double`` of the items, drawn by chance, are labelled
    again by another annotator. Loads differ by one item a pass at most.

    Raises:
        InputError: there are none, some have no name or occur twice, or ``double`` is no share.
    """
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
    found: dict[str, list[str]] = {name: [] for name in names}
    for place, item in enumerate(order):
        found[names[first[place]]].append(items[item])
        if place < math.ceil(double * count):
            found[names[second[place]]].append(items[item])
    return {name: tuple(given[place] for place in generator.permutation(len(given))) for name, given in found.items()}


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
