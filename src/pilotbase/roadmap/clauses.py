"""The policy lens: clause → what would show it → how many records do; computed from the books, never declared."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from pilotbase.documents.api.ledger import ClauseEvidence, ClauseStatus, ClauseTold
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.roadmap import Clause, Figure
from pilotbase.documents.states import AgreementState, DatasetState
from pilotbase.documents.yaml_reader import parse_yaml
from pilotbase.roadmap.ledger import count_now
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.listings import Query, count
from pilotbase.workspace.store import View

_FILE = "clauses.yaml"
COUNTS: Mapping[str, Query] = {
    "datasets": Query("dataset", states=(DatasetState.PUBLISHED,)),
    "agreements": Query("agreement", states=(AgreementState.IN_FORCE, AgreementState.EXPIRED)),
    "applications": Query("application"),
}
"""What shows a clause besides the figures of the ledger; names: text ``clause.<name>``."""


@cache
def packaged_clauses() -> tuple[Clause, ...]:
    """Return the clauses that this version knows, in order of their sources."""
    written: Any = parse_yaml(resources.files("pilotbase.roadmap").joinpath(_FILE).read_bytes(), _FILE).value
    return tuple(Clause.model_validate({"document": "clause/1", **one}) for one in written["clauses"])


def tell_clauses(view: View) -> list[ClauseTold]:
    """Return each clause with its status and the counts behind it; raises `NotFoundError` unless all is seen."""
    if not view.actor.sees_all:
        raise NotFoundError("roadmap.no_ledger")
    counts: dict[str, int] = {figure.value: number for figure, number in count_now(view).figures.counts.items()}
    counts |= {name: count(view, query) for name, query in COUNTS.items()}
    return [_told(one, counts) for one in packaged_clauses()]


def _told(clause: Clause, counts: Mapping[str, int]) -> ClauseTold:
    evidence = [
        ClauseEvidence(name=name, count=counts[name], is_figure=name in set(Figure)) for name in clause.shown_by
    ]
    return filled(ClauseTold, clause, status=status_of(clause, counts), evidence=evidence)


def status_of(clause: Clause, counts: Mapping[str, int]) -> ClauseStatus:
    """Return how far ``counts`` show a clause."""
    if not clause.shown_by:
        return "no_record"
    if clause.once is not None and not counts[clause.once]:
        return "not_applicable"
    shown = sum(counts[name] > 0 for name in clause.shown_by)
    return "shown" if shown == len(clause.shown_by) else "partly" if shown else "not"
