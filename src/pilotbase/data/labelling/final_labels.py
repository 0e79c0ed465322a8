"""The final label of each item, and where it comes from; as a table that a scenario can take.

If annotators differ, a person who labels nothing decides: that person sees all labels, and never whose they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from secrets import SystemRandom
from statistics import fmean
from typing import NamedTuple

from pilotbase.data.labelling.gathering import Annotation, Gathered, first_annotators, label_problem
from pilotbase.data.labelling.label_tables import (
    FileLabels,
    LabelRow,
    LabelSpan,
    moment_in,
    read_rows,
    read_texts,
    require_none,
)
from pilotbase.documents.base import LONGEST_NOTE
from pilotbase.documents.errors import InputError, offer
from pilotbase.documents.files import format_csv
from pilotbase.documents.labelling import GivenLabel, LabelledItem, LabelledItems, LabellingCampaign, LabelSource
from pilotbase.documents.texts import Text, text

_DECIDED_COLUMNS = ("item", "decision", "reason")


@dataclass(frozen=True)
class Decided:
    """The adjudicator's label for an item, and why."""

    label: str
    reason: str
    at: datetime | None = None


class Joined(NamedTuple):
    """A table of cases with their labels, and the unmatched cases and labels."""

    csv: bytes
    labelled: int
    unlabelled: int
    """Cases without a final label; they are not in the table."""
    unmatched: int
    """Final labels of items that are no case."""


def final_labels(
    campaign: LabellingCampaign, gathered: Gathered, decided: Mapping[str, Decided]
) -> tuple[LabelledItem, ...]:
    """Return every item with its final label: the only one, the one on which all agree, or the decided one.

    Numbers that agree within the tolerance get their mean. If annotators differ and nobody has decided there is
    none: no majority is taken, for a majority of two is one.
    """
    return tuple(_final(campaign, item, given, decided.get(item)) for item, given in gathered.by_item.items())


def first_labels(
    campaign: LabellingCampaign, names: Sequence[str], items: Sequence[LabelledItem], seed: int
) -> Mapping[str, str]:
    """Return item → the label of the annotator who was drawn to label it first, whatever others say.

    ``names``, ``seed``: as given to `assign`.
    """
    first = first_annotators(campaign, names, seed)
    return {one.item: each.label for one in items for each in one.given if each.annotator == first.get(one.item)}


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
    if _differs(campaign, given):
        return LabelledItem(item=item, how="undecided", given=labels)
    label = _mean(given) if campaign.scale == "interval" else given[0].label
    return LabelledItem(item=item, label=label, how="agreed" if len(given) > 1 else "alone", given=labels)


def _mean(given: Sequence[Annotation]) -> str:
    spelled = {one.label for one in given}
    return spelled.pop() if len(spelled) == 1 else f"{fmean(float(one.label) for one in given):.15g}"


def disagreements(campaign: LabellingCampaign, gathered: Gathered) -> Mapping[str, tuple[Annotation, ...]]:
    """Return the items whose labels differ, each with its labels."""
    return {item: given for item, given in gathered.by_item.items() if _differs(campaign, given)}


def _differs(campaign: LabellingCampaign, given: Sequence[Annotation]) -> bool:
    """Return whether the labels of one item differ; numbers within the campaign's tolerance do not."""
    if campaign.scale != "interval":
        return len({one.label for one in given}) > 1
    numbers = [float(one.label) for one in given]
    return max(numbers) - min(numbers) > campaign.tolerance


def format_disagreements(campaign: LabellingCampaign, gathered: Gathered) -> bytes:
    """Return a CSV for the adjudicator: items and their labels in random order, without names.

    The adjudicator fills in the columns ``decision`` and ``reason``. The order is truly random: no seed later reveals
    which column was whose.
    """
    chance = SystemRandom()
    differing = list(disagreements(campaign, gathered).items())
    chance.shuffle(differing)
    width = max((len(given) for _, given in differing), default=2)
    rows = []
    for item, given in differing:
        labels = [one.label for one in given]
        chance.shuffle(labels)
        rows.append([item, *labels, *[""] * (width - len(labels)), "", ""])
    return format_csv(["item", *(f"label_{place + 1}" for place in range(width)), "decision", "reason"], rows)


def read_decisions(campaign: LabellingCampaign, gathered: Gathered, path: Path) -> Mapping[str, Decided]:
    """Return item → the decision in ``path``; a row without a decision is left for later.

    Raises:
        InputError: nobody in the campaign decides; or every problem of the file: an item without disagreement or
            that occurs twice, a label that is not the campaign's, a decision without a reason.
    """
    if campaign.adjudicator is None:
        raise InputError("labelling.no_adjudicator", campaign=campaign.name)
    open_items = disagreements(campaign, gathered)
    found, decided, lines = FileLabels(), dict[str, Decided](), dict[str, LabelSpan]()
    for row in read_rows(path, _DECIDED_COLUMNS):
        problems = list(_problems(campaign, row, open_items, lines))
        found.issues += [row.place.issue(problem) for problem in problems]
        item, label = row.cells.get("item", ""), row.cells.get("decision")
        lines.setdefault(item, row.place)
        at = moment_in(row, found)
        if label is not None and not problems:
            decided[item] = Decided(label, row.cells["reason"], at)
    require_none(found.issues, [path.name])
    return decided


def _problems(
    campaign: LabellingCampaign, row: LabelRow, open_items: Mapping[str, object], lines: Mapping[str, LabelSpan]
) -> list[Text]:
    item, label, reason = (row.cells.get(name) for name in _DECIDED_COLUMNS)
    if item is None:
        return [text("labelling.empty_cell", column="item")]
    problems = []
    if item in lines:
        problems.append(text("labelling.decided_twice", item=item, line=lines[item].line))
    elif item not in open_items:
        problems.append(text("labelling.nothing_to_decide", item=item))
    if label is not None:
        unknown = label_problem(campaign, label)
        problems += [] if unknown is None else [unknown]
        if reason is None or len(reason) > LONGEST_NOTE:
            problems.append(text("labelling.no_reason", limit=LONGEST_NOTE))
    return problems
