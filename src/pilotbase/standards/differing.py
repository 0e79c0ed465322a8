"""What changed between two versions of a profile, requirement by requirement, and what that means for a proof."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pilotbase.documents.standards import Requirement, StandardProfile
from pilotbase.documents.vocabularies import StandardStatus

Kind = Literal["added", "removed", "stricter", "laxer", "changed", "worded"]
TOUCHING: frozenset[Kind] = frozenset({"added", "stricter", "changed"})
"""Changes after which an earlier proof may no longer show what is required."""
_TOLD = {"asks", "clause"}
_STRICTNESS = {"mandatory", "at_least", "at_most", "sample", "reviewers", "status", "compared"}


@dataclass(frozen=True)
class RequirementChange:
    """One requirement that differs between two versions."""

    kind: Kind
    before: Requirement | None
    after: Requirement | None

    @property
    def name(self) -> str:
        """Return the requirement's name."""
        return (self.after or self.before).id  # type: ignore[union-attr]  # at least one is set


def differences(before: StandardProfile, after: StandardProfile) -> list[RequirementChange]:
    """Return what changed, in the order of ``after``; removed ones last. Requirements are matched by name."""
    old = {one.id: one for one in before.requirements}
    new = {one.id: one for one in after.requirements}
    found = [RequirementChange(_kind(old[name], one), old[name], one) for name, one in new.items() if name in old]
    found = [change for change in found if change.before != change.after]
    found += [RequirementChange("added", None, one) for name, one in new.items() if name not in old]
    return [*found, *(RequirementChange("removed", one, None) for name, one in old.items() if name not in new)]


def touching(changes: Sequence[RequirementChange], turned_on: Sequence[str] = ()) -> list[RequirementChange]:
    """Return the changes that affect a proof; a requirement that is off affects one only if it was turned on."""
    return [
        change
        for change in changes
        if change.kind in TOUCHING
        and change.after is not None
        and (not change.after.is_off or change.name in turned_on)
    ]


def _kind(before: Requirement, after: Requirement) -> Kind:
    if before.model_dump(exclude=_TOLD) == after.model_dump(exclude=_TOLD):
        return "worded"
    if before.model_dump(exclude=_TOLD | _STRICTNESS) != after.model_dump(exclude=_TOLD | _STRICTNESS):
        return "changed"
    more, less = _strictness(before, after)
    if more and less:
        return "changed"
    return "stricter" if more else "laxer"


def _strictness(before: Requirement, after: Requirement) -> tuple[bool, bool]:
    """Return whether anything became stricter, and whether anything became laxer."""
    rises = [
        (_low(before.at_least), _low(after.at_least)),
        (-_high(before.at_most), -_high(after.at_most)),
        (before.sample or 0, after.sample or 0),
        (before.reviewers or 0, after.reviewers or 0),
        (before.mandatory, after.mandatory),
        (before.status is not StandardStatus.REMEMBERED, after.status is not StandardStatus.REMEMBERED),
        (before.compared == "proven", after.compared == "proven"),
    ]
    return any(new > old for old, new in rises), any(new < old for old, new in rises)


def _low(bound: float | None) -> float:
    return float("-inf") if bound is None else bound


def _high(bound: float | None) -> float:
    return float("inf") if bound is None else bound
