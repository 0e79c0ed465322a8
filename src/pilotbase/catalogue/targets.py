"""Targets of a base: set by the operator, seen by operator and regulator, held beside what was reached."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pilotbase.catalogue.figures import Figures
from pilotbase.documents.roadmap import Figure, Target, Targets
from pilotbase.workspace.actors import BASE
from pilotbase.workspace.store import View

HEAD = "targets"


@dataclass(frozen=True)
class Reached:
    """A target of a year with what was reached of it."""

    target: Target
    number: int

    @property
    def share(self) -> float:
        """Return what was reached as a share of the target; a target of nothing is always reached."""
        return self.number / self.target.number if self.target.number else 1.0


def read_targets(view: View) -> Targets:
    """Return the targets that ``view`` sees; none where none were set."""
    head = view.head(HEAD)
    return Targets() if head is None else view.load(head, Targets)


def merged(known: Targets, new: Iterable[Target]) -> Targets:
    """Return ``known`` with ``new`` in place of targets about the same, in order of year, figure, sector, action."""
    by_subject = {target.about: target for target in (*known.targets, *new)}
    return Targets(targets=tuple(by_subject[about] for about in sorted(by_subject)))


def set_targets(view: View, new: Iterable[Target]) -> Targets:
    """Set targets, in place of those about the same; raises `RefusedError` for all but the operator."""
    with view.transaction("targets.set") as change:
        change.require_operator()
        targets = merged(read_targets(view.within(change)), new)
        change.let_stand(HEAD, change.put(targets, BASE))
    return targets


def reached(figures: Figures, targets: Targets) -> list[Reached]:
    """Return the targets of the year of ``figures`` with what was reached."""
    return [Reached(target, _number(figures, target)) for target in targets.targets if target.year == figures.year]


def _number(figures: Figures, target: Target) -> int:
    chosen = (
        group.this_year
        for group in figures.groups
        if (target.sector or group.sector) == group.sector and (target.action or group.action) == group.action
    )
    return sum(counts[Figure(target.figure)] for counts in chosen)
