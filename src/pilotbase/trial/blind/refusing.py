"""What follows from blind baselines: nothing opens where one meets every criterion, and the owner sees their scores."""

from __future__ import annotations

from collections.abc import Iterator

from pilotbase.documents.errors import Issue, RefusedError
from pilotbase.documents.report import BlindFindings
from pilotbase.documents.texts import Text, text
from pilotbase.trial.scenario_folder import MANIFEST

_OWNERS_DIGITS, _SUPPLIERS_DIGITS = 3, 2
REFUSED = "trial.blind_passes"


def blind_issues(found: BlindFindings | None) -> Iterator[Issue]:
    """Yield what the owner has to mend where a blind baseline meets all criteria together."""
    if found is not None and found.meets is not None:
        problem = text(REFUSED, program=found.meets.program, scores=found.meets.told(_OWNERS_DIGITS))
        yield Issue(file=MANIFEST, path="criteria", problem=problem, hint=text(f"{REFUSED}.hint"))


def require_not_blind(found: BlindFindings | None) -> None:
    """Return unless a blind baseline meets all criteria together; raises `RefusedError`.

    Suppliers read it too: scores are as coarse as in their view of a report.
    """
    if found is not None and found.meets is not None:
        raise RefusedError(REFUSED, program=found.meets.program, scores=found.meets.told(_SUPPLIERS_DIGITS))


def told_blind(found: BlindFindings | None) -> Iterator[Text]:
    """Yield what the owner is told where no blind baseline meets all criteria."""
    if found is None or found.meets is not None:
        return
    if found.best:
        yield text("trial.blind_best", cases=found.cases)
    for one in found.best:
        yield text("trial.blind_score", rule=one.rule, score=f"{one.score:.{_OWNERS_DIGITS}g}", program=one.program)
    if found.easy is not None:
        yield text("trial.blind_easy", program=found.easy.program, scores=found.easy.told(_OWNERS_DIGITS))
