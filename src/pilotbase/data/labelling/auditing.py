"""The audit: an expert labels a random sample of finished items anew; how often the final label is the expert's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pilotbase.data.labelling.found_labels import MOST_TOLD, require_none
from pilotbase.data.labelling.gathering import label_problem
from pilotbase.data.labelling.label_tables import read_rows
from pilotbase.documents.errors import Issue
from pilotbase.documents.label_statement import LabelAudit
from pilotbase.documents.labelling import LabelledItem, LabellingCampaign
from pilotbase.documents.texts import text


def read_audit(campaign: LabellingCampaign, items: Sequence[LabelledItem], path: Path) -> LabelAudit:
    """Return how many final labels ``path`` (``item,label``) looked at and how many are the expert's.

    ISO/IEC 5259-2 aligned: label accuracy, Acc-ML-7. Numbers within the campaign's tolerance are the same.

    Raises:
        InputError: every problem of the file: an item that stands twice or has no final label, a label that is none.
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
