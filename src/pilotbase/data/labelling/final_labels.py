"""The final label of each item, and where it comes from; as a table that a scenario can take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from pilotbase.data.labelling.adjudication import Decided, differs
from pilotbase.data.labelling.gathering import Annotation, Gathered
from pilotbase.data.labelling.label_tables import read_texts
from pilotbase.documents.errors import InputError
from pilotbase.documents.files import format_csv
from pilotbase.documents.labelling import GivenLabel, LabelledItem, LabelledItems, LabellingCampaign, LabelSource
from pilotbase.documents.nearest import offer


class Joined(NamedTuple):
    """A table of cases with their labels, and what did not find its other half."""

    csv: bytes
    labelled: int
    unlabelled: int
    """Cases without a final label; they are not in the table."""
    unmatched: int
    """Final labels of items that are no case."""


def final_labels(
    campaign: LabellingCampaign, gathered: Gathered, decided: Mapping[str, Decided]
) -> tuple[LabelledItem, ...]:
    """Return every item with its final label: the only one, the one on which all agree, or what was decided.

    Numbers that agree within the tolerance have their mean. Where annotators differ and nobody has decided there is
    none: no majority is taken, for a majority of two is one.
    """
    return tuple(_final(campaign, item, given, decided.get(item)) for item, given in gathered.by_item.items())


def labelled_items(
    campaign: LabellingCampaign, sources: Sequence[LabelSource], items: Sequence[LabelledItem]
) -> LabelledItems:
    """Return the document that says where final labels come from."""
    return LabelledItems(
        campaign=campaign.digest(),
        guideline=campaign.guideline,
        adjudicator=campaign.adjudicator,
        sources=tuple(sources),
        items=tuple(items),
    )


def format_final(items: Sequence[LabelledItem]) -> bytes:
    """Return the final labels as ``item,label``; items without one are not in it."""
    return format_csv(["item", "label"], ([one.item, one.label] for one in items if one.label is not None))


def join_labels(items: Sequence[LabelledItem], path: Path, key: str, target: str) -> Joined:
    """Return the cases in ``path`` with their final labels as the column ``target``, by the column ``key``.

    Raises:
        InputError: as `read_texts`; or there is no column ``key``, or already one ``target``, or
            no case has a label.
    """
    cases = read_texts(path)
    if key not in cases.columns:
        raise InputError("labelling.no_key_column", file=path.name, found=key, allowed=offer(key, cases.columns))
    if target in cases.columns:
        raise InputError("labelling.target_exists", file=path.name, target=target)
    labels = {one.item: one.label for one in items if one.label is not None}
    keys = cases[key].fill_null("").to_list()
    labelled = [(row, labels[name]) for row, name in zip(cases.iter_rows(), keys, strict=True) if name in labels]
    if not labelled:
        raise InputError("labelling.no_case_labelled", file=path.name, key=key)
    rows = ([*("" if cell is None else cell for cell in row), label] for row, label in labelled)
    csv = format_csv([*cases.columns, target], rows)
    return Joined(csv, len(labelled), cases.height - len(labelled), len(labels.keys() - set(keys)))


def _final(
    campaign: LabellingCampaign, item: str, given: Sequence[Annotation], decided: Decided | None
) -> LabelledItem:
    labels = tuple(GivenLabel(annotator=one.annotator, label=one.label, at=one.at) for one in given)
    if decided is not None:
        return LabelledItem(
            item=item, label=decided.label, how="decided", given=labels, reason=decided.reason, decided_at=decided.at
        )
    if differs(campaign, given):
        return LabelledItem(item=item, how="undecided", given=labels)
    label = _mean(given) if campaign.scale == "interval" else given[0].label
    return LabelledItem(item=item, label=label, how="agreed" if len(given) > 1 else "alone", given=labels)


def _mean(given: Sequence[Annotation]) -> str:
    spelled = {one.label for one in given}
    return spelled.pop() if len(spelled) == 1 else f"{fmean(float(one.label) for one in given):.15g}"
