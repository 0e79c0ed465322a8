"""Standards of a trial: resolved and checked before the freeze, stored with the plan, reported in the report.

The profiles are stored under their digests when a plan is frozen: a later trial, or one under a newer version of the
software, is checked against the same requirements.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pilotbase.documents.application import Application
from pilotbase.documents.errors import InputError, Issue, offer
from pilotbase.documents.report import Report
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.standards import EvidenceDocument, StandardProfile, StandardReference
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Estimand
from pilotbase.measures import is_resource, known_names
from pilotbase.standards.composing import Find, HeldRequirement, compose, packaged_profiles, with_included
from pilotbase.standards.matrix import MatrixInputs, Voucher, conformity_rows, missing_measures
from pilotbase.trial.scenario_folder import MANIFEST
from pilotbase.workspace.actors import PUBLIC

if TYPE_CHECKING:
    from pilotbase.workspace.store import View

_HEAD = "standard:"
_MOST = 1_000


def find_profile(view: View | None, name: str) -> StandardProfile:
    """Return the profile of that name: packaged, or an organisation's own in the store.

    Raises:
        InputError: ``standard.unknown``, with the name that was meant.
    """
    packaged = packaged_profiles()
    if name in packaged:
        return packaged[name]
    own = view.load_head(_HEAD + name, StandardProfile) if view is not None else None
    if own is None:
        raise InputError("standard.unknown", found=name, allowed=offer(name, list(packaged)))
    return own


def own_profiles(view: View) -> list[StandardProfile]:
    """Return the organisations' own profiles as they stand now, by name."""
    names = {one.load(StandardProfile).name for one in view.find("standard-profile", limit=_MOST)}
    found = (view.load_head(_HEAD + name, StandardProfile) for name in sorted(names))
    return [profile for profile in found if profile is not None]


def add_profile(view: View, profile: StandardProfile) -> str:
    """Add an organisation's own profile, or a newer version of it, to a base; return its digest.

    Raises:
        InputError: its name is that of a packaged profile, or it names unknown measures or profiles.
    """
    if profile.name in packaged_profiles():
        raise InputError("standard.name_taken", found=profile.name)
    check_profile(profile, lambda name: profile if name == profile.name else find_profile(view, name))
    with view.transaction("standard.added") as change:
        digest = change.put(profile, PUBLIC)
        change.let_stand(_HEAD + profile.name, digest)
    return digest


def check_profile(profile: StandardProfile, find: Find) -> None:
    """Return if all that a profile names is known; raises `InputError` with every problem."""
    known = known_names()
    issues = [
        Issue(file=profile.name, path=f"requirements[{index}].measure", problem=text("measure.unknown", **values))
        for index, one in enumerate(profile.requirements)
        for name in one.measure
        if name not in known
        for values in [{"found": name, "allowed": offer(name, known)}]
    ]
    if issues:
        raise InputError.from_issues(profile.name, issues)
    with_included(profile.name, find)


def held_by(scenario: Scenario, find: Find) -> list[HeldRequirement]:
    """Return the requirements of the standards that a scenario names; raises as `compose`."""
    return compose(scenario.standards, find, scenario.answer) if scenario.standards else []


def check_standards(scenario: Scenario, find: Find) -> None:
    """Check that no mandatory measure is missing; raises `InputError` naming the clause that requires each."""
    rules = [criterion.parsed() for criterion in scenario.criteria]
    held = held_by(scenario, find)
    problems = [*missing_measures(held, rules), *_cut_short(held, scenario)]
    if problems:
        raise InputError.from_issues(MANIFEST, [Issue(file=MANIFEST, path="criteria", problem=one) for one in problems])


def _cut_short(held: Sequence[HeldRequirement], scenario: Scenario) -> Iterator[Text]:
    """Yield mandatory measures of a sample that scoring may stop before: a verdict can stand after fewer cases.

    Beside a claim about the hidden cases all of them are scored.
    """
    on_answers = [one for one in scenario.criteria if not is_resource(one.parsed())]
    if scenario.trial.stop != "early" or any(one.estimand is Estimand.HIDDEN_SET for one in on_answers):
        return
    for one in held:
        sample = one.requirement.sample
        if one.requirement.mandatory and one.requirement.measure and sample is not None:
            yield text("standard.stops_early", place=one.place, wanted=sample)


def check_packaged_standards(scenario: Scenario) -> None:
    """Check as `check_standards` before there is a base; profiles that aren't packaged can't be checked yet."""
    packaged = packaged_profiles()
    known = [use for use in scenario.standards or () if use.profile in packaged]
    check_standards(scenario.model_copy(update={"standards": tuple(known)}), lambda name: find_profile(None, name))


def freeze_standards(view: View, scenario: Scenario) -> tuple[StandardReference, ...] | None:
    """Return the profiles of a plan, stored under their digests; None if no standard is named.

    Raises:
        InputError: an unknown profile, two that contradict each other, or a mandatory measure that no criterion covers.
    """
    if not scenario.standards:
        return None
    check_standards(scenario, lambda name: find_profile(view, name))
    also: dict[str, dict[str, None]] = {}
    profiles: dict[str, StandardProfile] = {}
    for use in scenario.standards:
        for profile in with_included(use.profile, lambda name: find_profile(view, name)):
            profiles[profile.name] = profile
            names = [one for one in use.also if any(one == asked.id for asked in profile.requirements)]
            also.setdefault(profile.name, {}).update(dict.fromkeys(names))
    with view.transaction("standard.frozen") as change:
        digests = {name: change.put(profile, PUBLIC) for name, profile in profiles.items()}
    return tuple(
        StandardReference(name=name, version=profile.version, digest=digests[name], also=tuple(also[name]))
        for name, profile in profiles.items()
    )


def frozen_requirements(
    view: View, references: Sequence[StandardReference], scenario: Scenario
) -> list[HeldRequirement]:
    """Return the requirements of a plan's profiles, in the versions it was frozen with; raises `NotFoundError`."""
    kept = {one.name: view.load(one.digest, StandardProfile) for one in references}
    return held_by(scenario, kept.__getitem__)


def with_standards(
    view: View,
    references: Sequence[StandardReference] | None,
    report: Report,
    scenario: Scenario,
    application: Application,
) -> Report:
    """Return the report with its conformity matrix, by the profiles that its plan was frozen with.

    ``references``: None in a rehearsal, which is checked against the current profiles.
    """
    if not scenario.standards:
        return report
    if references is None:
        held = held_by(scenario, lambda name: find_profile(view, name))
    else:
        held = frozen_requirements(view, references, scenario)
    evidence: list[tuple[EvidenceDocument, Voucher]] = [
        (one, "owner") for use in scenario.standards for one in use.evidence
    ]
    evidence += [(one, "supplier") for one in application.evidence or ()]
    shown = MatrixInputs(
        criteria=report.criteria,
        findings=[finding for section in report.sections for finding in section.findings],
        evidence=evidence,
        day=report.ended_at.date().isoformat(),
    )
    return report.model_copy(update={"standards": conformity_rows(held, shown)})
