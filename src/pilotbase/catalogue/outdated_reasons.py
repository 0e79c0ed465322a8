"""Reasons that an edit left behind: the criterion has changed, and the words beside it still explain the old one."""

from __future__ import annotations

from pilotbase.documents.scenario import Criterion, Scenario


def outdated_reasons(before: Scenario, after: Scenario) -> tuple[Criterion, ...]:
    """Return the criteria of ``after`` whose rule is new while their reason was given for one that is gone."""
    old = [criterion.parsed() for criterion in before.criteria]
    new = [criterion.parsed() for criterion in after.criteria]
    orphaned = [criterion.why for criterion, rule in zip(before.criteria, old, strict=True) if rule not in new]
    return tuple(
        criterion
        for criterion, rule in zip(after.criteria, new, strict=True)
        if rule not in old and criterion.why is not None and criterion.why in orphaned
    )
