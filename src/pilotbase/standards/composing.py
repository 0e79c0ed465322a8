"""Several profiles as one list of requirements, including those in the package (one YAML file each); how two differ.

Contradictory requirements are reported, never resolved. What changed between two versions of a profile is told
requirement by requirement, with what that means for a proof.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import combinations
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from pilotbase.documents.contract import AnswerKind
from pilotbase.documents.errors import InputError, offer
from pilotbase.documents.loading import build_document, load_document
from pilotbase.documents.standards import Requirement, StandardProfile, StandardUse
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import StandardStatus
from pilotbase.documents.yaml_reader import parse_yaml

MOST_INCLUDED = 100
"""Profiles that one use may include, directly or indirectly."""
Find = Callable[[str], StandardProfile]
"""Name → profile; raises `InputError` for an unknown name."""
Kind = Literal["added", "removed", "stricter", "laxer", "changed", "worded"]
TOUCHING: frozenset[Kind] = frozenset({"added", "stricter", "changed"})
"""Changes after which an earlier proof may no longer show what is required."""
_TOLD = {"asks", "clause"}
_STRICTNESS = {"mandatory", "at_least", "at_most", "sample", "reviewers", "status", "compared"}


@cache
def packaged_profiles() -> Mapping[str, StandardProfile]:
    """Return name → profile, sorted by name."""
    folder = resources.files("pilotbase.standards") / "profiles"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda file: file.name)
    read = [build_document(StandardProfile, parse_yaml(file.read_bytes(), file.name)) for file in files]
    return MappingProxyType({profile.name: profile for profile in read})


def read_profile(path: Path) -> StandardProfile:
    """Return the profile in a file; raises `InputError` with every problem."""
    return load_document(StandardProfile, path)


@dataclass(frozen=True)
class HeldRequirement:
    """A requirement that applies, with the profile it comes from."""

    profile: StandardProfile
    requirement: Requirement

    @property
    def place(self) -> str:
        """Return source and clause, as readers cite them."""
        return f"{self.profile.source.identifier}, {self.requirement.place}"

    @property
    def status(self) -> StandardStatus:
        """Return the worse of the source's status and the requirement's own."""
        order = list(StandardStatus)
        return max(self.profile.source.status, self.requirement.status, key=order.index)


def with_included(name: str, find: Find) -> list[StandardProfile]:
    """Return the profile of that name and all that it includes, each once; raises `InputError`."""
    found: dict[str, StandardProfile] = {}
    waiting = [name]
    while waiting:
        if (one := waiting.pop()) in found:
            continue
        if len(found) == MOST_INCLUDED:
            raise InputError("standard.too_many_included", found=name, allowed=MOST_INCLUDED)
        found[one] = find(one)
        waiting += reversed(found[one].includes)
    return list(found.values())


def compose(uses: Sequence[StandardUse], find: Find, kind: AnswerKind | None = None) -> list[HeldRequirement]:
    """Return every requirement of the profiles on answers of ``kind`` (of all kinds if None), each once.

    Raises:
        InputError: an unknown profile or requirement, a profile that doesn't apply to such answers, or two requirements
            that contradict each other; the message names them.
    """
    profiles: dict[str, StandardProfile] = {}
    also: dict[str, set[str]] = {}
    for use in uses:
        led_to = with_included(use.profile, find)
        profiles |= {profile.name: profile for profile in led_to}
        _require_known(use, led_to)
        for profile in led_to:
            also.setdefault(profile.name, set()).update(use.also)
    for profile in profiles.values():
        if kind is not None and profile.answers and kind not in profile.answers:
            raise InputError("standard.foreign_answers", profile=profile.name, found=kind, allowed=profile.answers)
    held = [
        HeldRequirement(profile, one)
        for profile in profiles.values()
        for one in profile.requirements
        if not one.is_off or one.id in also[profile.name]
    ]
    applicable = [one for one in held if kind is None or not one.requirement.answers or kind in one.requirement.answers]
    if found := list(conflicts(applicable)):
        raise InputError("standard.conflict", found=found[0], count=len(found))
    return _each_once(applicable)


def conflicts(held: Sequence[HeldRequirement]) -> Iterator[Text]:
    """Yield the contradictions: one clause required in two ways, or two thresholds that exclude each other."""
    for one, other in combinations(held, 2):
        if _same_clause(one, other) and not _alike(one.requirement, other.requirement):
            yield text("standard.clause_twice", first=_named(one), second=_named(other))
        elif _exclude(one.requirement, other.requirement):
            yield text("standard.thresholds_exclude", first=_named(one), second=_named(other))


def _require_known(use: StandardUse, profiles: Sequence[StandardProfile]) -> None:
    known = {one.id: one for profile in profiles for one in profile.requirements}
    for name in use.also:
        if name not in known:
            raise InputError(
                "standard.unknown_requirement", profile=use.profile, found=name, allowed=offer(name, list(known))
            )


def _same_clause(one: HeldRequirement, other: HeldRequirement) -> bool:
    """Return whether two requirements are about the same clause of the same source, and the same thing in it."""
    if one.profile.name == other.profile.name or one.profile.source.identifier != other.profile.source.identifier:
        return False
    return one.requirement.place == other.requirement.place and _subject(one.requirement) == _subject(other.requirement)


def _subject(one: Requirement) -> object:
    return one.way, one.measure, one.complement, one.wrapper, one.check, one.quality, one.evidence, one.answers


def _alike(one: Requirement, other: Requirement) -> bool:
    """Return whether two requirements are equivalent; their names and texts don't matter."""
    told = {"id", "asks"}
    return one.model_dump(exclude=told) == other.model_dump(exclude=told)


def _exclude(one: Requirement, other: Requirement) -> bool:
    if _subject(one) != _subject(other) or len(one.measure) > 1:
        return False
    return any(
        low.at_least is not None and high.at_most is not None and low.at_least > high.at_most
        for low, high in ((one, other), (other, one))
    )


def _each_once(held: Sequence[HeldRequirement]) -> list[HeldRequirement]:
    """Leave out requirements that an earlier profile already has for the same clause in the same way."""
    kept: list[HeldRequirement] = []
    for one in held:
        if not any(_same_clause(one, other) for other in kept):
            kept.append(one)
    return kept


def _named(one: HeldRequirement) -> str:
    return f"{one.profile.name}: {one.place} ({one.requirement.id})"


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
