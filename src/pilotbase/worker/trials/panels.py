"""Sheets for the experts of a trial's panel, as files; completed and adjudicated, their verdicts are taken back.

panel/guideline.md           the frozen guideline
panel/campaign.json          for `pilotbase data labels`
panel/a1.csv, a2.csv         one sheet per expert: ``good`` or ``poor`` in the column ``label``
panel/labelled-items.json    written by `data labels adjudicate`; read when the trial is run again
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pilotbase.data.labelling.assigning import assign
from pilotbase.data.labelling.gathering import source_of
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.files import format_csv
from pilotbase.documents.hashes import hex_of
from pilotbase.documents.labelling import LabelledItems
from pilotbase.documents.loading import load_document
from pilotbase.documents.plan import TrialPlan
from pilotbase.trial.phases.expert_panel import GUIDELINE, WAITING, campaign_of, items_to_judge, take_verdicts
from pilotbase.worker.base import Base
from pilotbase.worker.trials.folder import write_json
from pilotbase.worker.whole_files import PRIVATE, write_whole

_VERDICTS = "labelled-items.json"


@contextmanager
def judged_in(base: Base, plan: TrialPlan, folder: Path) -> Iterator[None]:
    """Take verdicts that stand in ``folder``; write its sheets if the block has to wait for verdicts.

    Raises as `take_verdicts`, and what the block raises.
    """
    if plan.panel is not None and (folder / _VERDICTS).exists():
        labelled, source = load_document(LabelledItems, folder / _VERDICTS), source_of(folder / _VERDICTS)
        take_verdicts(base.lab, plan, labelled.items, labelled.guideline.digest, source)
    try:
        yield
    except RefusedError as error:
        if error.code == WAITING and not (folder / GUIDELINE).exists():
            _write_sheets(base, plan, folder)
        raise


def assigned_items(plan: TrialPlan, items: Mapping[str, object]) -> Mapping[str, tuple[str, ...]]:
    """Return expert → the answers to judge, in an order of their own; a share of the answers goes to both."""
    assert plan.panel is not None
    return assign(campaign_of(plan), list(items), plan.panel.double, seed=int(hex_of(plan.digest())[:12], 16))


def _write_sheets(base: Base, plan: TrialPlan, folder: Path) -> None:
    items = items_to_judge(base.lab, plan)
    folder.mkdir(parents=True, exist_ok=True)
    fields = list(next(iter(items.values())))
    for expert, given in assigned_items(plan, items).items():
        rows = ([item, expert, "", *(items[item][name] for name in fields)] for item in given)
        # Fields may be called as the columns of a sheet are.
        sheet = format_csv(["item", "annotator", "label", *(f"case: {name}" for name in fields)], rows)
        write_whole(folder / f"{expert}.csv", sheet, PRIVATE)
    write_json(folder / "campaign.json", campaign_of(plan), PRIVATE)
    assert plan.panel is not None
    write_whole(folder / GUIDELINE, plan.panel.guideline, PRIVATE)
