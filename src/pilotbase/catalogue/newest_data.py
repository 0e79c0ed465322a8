"""Which version of its scenario the next plan of a trial is for: the agreed one, or the same with fresher data."""

from __future__ import annotations

from pilotbase.catalogue.records import record_of
from pilotbase.documents.hashes import Digest
from pilotbase.documents.record import Record
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.states import ScenarioState
from pilotbase.workspace.store import View


def scenario_to_try(base: View, record: Record) -> Digest:
    """Return the open version that differs from the one of ``record`` in its data file alone, else that one.

    What was agreed on, criteria and contract, stays; ``base`` sees every document.
    """
    agreed = record.documents["scenario"]
    known = record_of(base, record.subjects["scenario"])
    if known is None or known.state != ScenarioState.OPEN or known.documents["scenario"] == agreed:
        return agreed
    newest = known.documents["scenario"]
    before, after = base.load(agreed, Scenario), base.load(newest, Scenario)
    same = after.model_copy(update={"data": after.data.model_copy(update={"file": before.data.file})}) == before
    return newest if same else agreed
