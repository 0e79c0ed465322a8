"""Where annotators differ, a person decides who labels nothing: shown all labels, and never whose they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from secrets import SystemRandom

from pilotbase.data.labelling.found_labels import FileLabels, LabelSpan, require_none
from pilotbase.data.labelling.gathering import Annotation, Gathered, label_problem
from pilotbase.data.labelling.label_tables import LabelRow, moment_in, read_rows
from pilotbase.documents.base import LONGEST_NOTE
from pilotbase.documents.errors import InputError
from pilotbase.documents.files import format_csv
from pilotbase.documents.labelling import LabellingCampaign
from pilotbase.documents.texts import Text, text

DECIDED_COLUMNS = ("item", "decision", "reason")


@dataclass(frozen=True)
class Decided:
    """The label that an adjudicator has given an item, and why."""

    label: str
    reason: str
    at: datetime | None = None


def differs(campaign: LabellingCampaign, given: Sequence[Annotation]) -> bool:
    """Tell whether the labels of one item differ; numbers within the campaign's tolerance do not."""
    if campaign.scale != "interval":
        return len({one.label for one in given}) > 1
    numbers = [float(one.label) for one in given]
    return max(numbers) - min(numbers) > campaign.tolerance


def disagreements(campaign: LabellingCampaign, gathered: Gathered) -> Mapping[str, tuple[Annotation, ...]]:
    """Return the items whose labels differ, each with its labels."""
    return {item: given for item, given in gathered.by_item.items() if differs(campaign, given)}


def format_disagreements(campaign: LabellingCampaign, gathered: Gathered) -> bytes:
    """Return a CSV for the adjudicator: items and their labels in an order of chance, without names.

    The columns ``decision`` and ``reason`` are to be filled in. The chance is the machine's: no seed tells afterwards
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
    """Return item → what was decided in ``path``; a row without a decision is left for later.

    Raises:
        InputError: nobody of the campaign decides; or every problem of the file: an item on which nobody differs or
            that stands twice, a label that is not the campaign's, a decision without a reason.
    """
    if campaign.adjudicator is None:
        raise InputError("labelling.no_adjudicator", campaign=campaign.name)
    open_items = disagreements(campaign, gathered)
    found, decided, lines = FileLabels(), dict[str, Decided](), dict[str, LabelSpan]()
    for row in read_rows(path, DECIDED_COLUMNS):
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
    item, label, reason = (row.cells.get(name) for name in DECIDED_COLUMNS)
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
