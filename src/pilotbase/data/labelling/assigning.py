"""Who labels what: two blind passes, each annotator with a sheet of its own and nothing of the others'."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from pilotbase.data.labelling.found_labels import is_name
from pilotbase.documents.errors import InputError
from pilotbase.documents.files import format_csv
from pilotbase.documents.labelling import LabellingCampaign


def assign(
    campaign: LabellingCampaign, items: Sequence[str], double: float = 1.0, seed: int = 0
) -> Mapping[str, tuple[str, ...]]:
    """Return annotator → its items, in an order of its own.

    Each item is labelled once in the first pass; in the second, ``double`` of the items, drawn by chance, are labelled
    again by another annotator. Loads differ by one item a pass at most.

    Raises:
        InputError: there are none, some have no name or stand twice, or ``double`` is no share.
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
    """Return what one annotator fills in: the items, and no label of anybody."""
    return format_csv(["item", "annotator", "label"], ([item, annotator, ""] for item in items))
