"""Forms of calls for a task: what is a list of parts in the API is written a line each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.http import QueryDict

from pilotbase.documents.api.calls import CallDetail
from pilotbase.documents.base import localized, slug
from pilotbase.documents.call import CallTerms, ClaimTerms, PaidMilestone, ScoredCriterion
from pilotbase.documents.scenario import Scenario
from pilotbase.hub.acting import language
from pilotbase.hub.forms.bringing import reviewers
from pilotbase.hub.forms.declared import Choices, OperationForm, ShortNameField, do, form_of
from pilotbase.hub.presenters.records import see, title_of
from pilotbase.hub.sentences import area, asked, t
from pilotbase.operations import calls
from pilotbase.trial.board_measure import measure_problems
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View

Posted = QueryDict | None
_CRITERION = re.compile(r"([0-9]{1,3})\s+(\S.*)")
_MILESTONE = re.compile(r"(\d{4}-\d{2}-\d{2})\s+([0-9]{1,3})\s+(\S.*?)(?:\s*\[(certificate|service)\])?")
_ASKED = ("title", "task", "prize", "closes", "criteria", "milestones")
"""Of the terms those that only the owner can know; the others have defaults that suit most calls."""
_DRAFTED = (
    *_ASKED,
    *("currency", "weight_experts", "weight_price", "weight_tender", "eligibility", "excluded", "most_partners"),
    *("panel", "lowest", "highest", "fewest", "extension_days", "objection_days"),
)
_OPEN_DAYS = 30
_WITHOUT_TENDER = {"weight_tender": 0, "weight_experts": 70, "weight_price": 30}

_CLAIMED = ("application", "partners", "plan", "price", "ties")


class _Draft(OperationForm):
    """The terms of a call; those of its tender are fields of their own."""

    name = ShortNameField()
    measure = forms.ChoiceField(
        **asked("ask.trials.open_tender.measure", "ask.trials.open_tender.measure.help"), required=False
    )
    cases = forms.IntegerField(label=t("ask.trials.open_tender.cases"), min_value=20, initial=1000)
    margin = forms.FloatField(label=t("ask.trials.open_tender.margin"), min_value=0, initial=0.01)
    field_order = (
        *_ASKED,
        "name",
        *_DRAFTED[len(_ASKED) : _DRAFTED.index("eligibility")],
        "measure",
        "cases",
        "margin",
    )

    def __init__(
        self, view: View, scenario: Scenario, place: Mapping[str, str], terms: CallTerms | None, posted: Posted
    ) -> None:
        measures = _measures_of(scenario)
        initial = _initial(terms) if terms is not None else _begun(view, scenario, measures)
        super().__init__(posted, given=place, choices={"measure": measures}, initial=initial)
        self.scenario, self.rare, self._view = scenario.subject, "name", view
        if terms is not None:
            del self.fields["name"]
            self.rare = "currency"

    @property
    def opened(self) -> bool:
        """Return whether the terms that rarely change are unfolded."""
        return self.is_bound

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if "name" in self.fields and "name" not in self.errors:
            name = given["name"] or self._free(slug(given.get("title") or ""))
            if not name:
                self.add_error("name", t("hub.no_short_name"))
            self._given = {**self._given, "name": name}
        return given

    def _free(self, name: str) -> str:
        """Return ``name``, numbered where a call of the organisation is called so: no draft is written over."""
        own = self._view.actor.organisation
        taken = {one.name for one in do(calls.LIST, self._view, {}) if one.owner == own}
        numbered = (f"{name}-{number}" for number in range(2, len(taken) + 3))
        return next((one for one in (name, *numbered) if one not in taken), name) if name else ""

    def said(self, view: View) -> dict[str, Any]:
        given = super().said(view)
        tender = {name: given.pop(name, None) for name in ("measure", "cases", "margin")}
        given.pop("name", None)
        return {
            **given,
            "scenario": self.scenario,
            "tender": tender if given["weight_tender"] and tender["measure"] else None,
            "criteria": given["criteria"],
            "milestones": given.get("milestones", []),
        }

    def clean_criteria(self) -> list[dict[str, Any]]:
        """Return weight and title of each line."""
        found = _read(_CRITERION, self.cleaned_data["criteria"], "calls.hub.criterion_spelled")
        return [{"weight": int(weight), "title": title} for weight, title in found]

    def clean_milestones(self) -> list[dict[str, Any]]:
        """Return day, share, title and evidence of each line."""
        found = _read(_MILESTONE, self.cleaned_data["milestones"], "calls.hub.milestone_spelled")
        return [
            {"due": due, "share": int(share), "title": title, "evidence": evidence or "statement"}
            for due, share, title, evidence in found
        ]


class _Claim(OperationForm):
    """A team's claim."""

    commitment = forms.BooleanField(**asked("calls.hub.commitment", "ask.calls.claim.commitment.help"))
    field_order = (*_CLAIMED, "commitment")

    def said(self, view: View) -> dict[str, Any]:
        given = super().said(view)
        return {**given, "ties": given.get("ties", []), "partners": given.get("partners", [])}

    def clean_partners(self) -> list[dict[str, str]]:
        """Return organisation and part of each line."""
        found = _read(re.compile(r"(\S+)\s+(\S.*)"), self.cleaned_data["partners"], "calls.hub.partner_spelled")
        return [{"organisation": organisation, "part": part} for organisation, part in found]


class ExpertsForm(OperationForm):
    """The experts from among whom the panel is drawn."""

    operation = calls.REVIEWERS
    reviewers = forms.MultipleChoiceField(
        label=t("ask.calls.reviewers.reviewers"), widget=forms.CheckboxSelectMultiple, required=True
    )

    def __init__(self, given: dict[str, str], chosen: CallDetail, posted: Posted) -> None:
        initial = {"reviewers": [f"{one.organisation} {one.person}" for one in chosen.pool]}
        super().__init__(posted, given=given, initial=initial)
        self.fields["reviewers"].choices = [  # type: ignore[attr-defined]
            (f"{one.organisation} {one.person.identity}", f"{one.person.name} · {title_of(one.organisation)}")
            for one in reviewers()
        ]

    def said(self, view: View) -> dict[str, Any]:
        pairs = [one.partition(" ") for one in self.cleaned_data["reviewers"]]
        return {"reviewers": [{"organisation": one, "person": person} for one, _, person in pairs]}


class ScoreForm(OperationForm):
    """An expert's points for a claim, a field for each criterion."""

    operation = calls.SCORE
    words = area(t("ask.calls.score.words"), t("ask.calls.score.words.help"), rows=4, max_length=4000)

    def __init__(self, given: dict[str, str], terms: CallTerms, before: dict[str, Any], posted: Posted) -> None:
        super().__init__(posted, given=given, initial=before)
        self.asked = [f"points_{number}" for number in range(len(terms.criteria))]
        for name, criterion in zip(self.asked, terms.criteria, strict=True):
            label = f"{criterion.title} ({terms.lowest}–{terms.highest})"
            self.fields[name] = forms.IntegerField(label=label, min_value=terms.lowest, max_value=terms.highest)
        self.order_fields([*self.asked, "words"])

    def said(self, view: View) -> dict[str, Any]:
        given = self.cleaned_data
        return {"points": [given[name] for name in self.asked], "words": given["words"]}


CallForm = form_of(calls.DRAFT, *_DRAFTED, base=_Draft)
ClaimForm = form_of(calls.CLAIM, *_CLAIMED, base=_Claim)


def claim_initial(claim: ClaimTerms) -> dict[str, Any]:
    """Return what a claim says, as its form shows it."""
    partners = tuple(f"{one.organisation} {one.part}" for one in claim.partners)
    return {**dict(claim), "partners": partners}


def own_scenario(view: View, subject: str) -> Scenario:
    """Return a scenario of the actor's organisation; raises `NotFoundError`: it is none."""
    seen = see(view, subject)
    if not isinstance(seen.document, Scenario) or seen.listing.owner != view.actor.organisation:
        raise NotFoundError("hub.not_found")
    return seen.document


def _measures_of(scenario: Scenario) -> Choices:
    """Return the measures of the scenario's criteria that a tender can use."""
    keys = dict.fromkeys(one.parsed().plain.key for one in scenario.criteria)
    return [(one, one) for one in keys if next(measure_problems(scenario, one, None), None) is None]


def _begun(view: View, scenario: Scenario, measures: Choices) -> dict[str, Any]:
    """Return what a new call begins with: the scenario's words, a month to claim, and a tender where it can be had."""
    return {
        "title": localized(scenario.title, language()),
        "task": localized(scenario.problem, language()),
        "closes": (view.store.clock() + timedelta(days=_OPEN_DAYS)).date().isoformat(),
        "criteria": tuple(t("calls.hub.criteria_begun").splitlines()),
        **({} if measures else _WITHOUT_TENDER),
    }


def _initial(terms: CallTerms) -> dict[str, Any]:
    tender = dict(terms.tender) if terms.tender is not None else {}
    return {
        **dict(terms),
        **{name: tender[name] for name in ("measure", "cases", "margin") if name in tender},
        "criteria": tuple(map(_criterion_line, terms.criteria)),
        "milestones": tuple(map(_milestone_line, terms.milestones)),
    }


def _criterion_line(one: ScoredCriterion) -> str:
    return f"{one.weight} {one.title}"


def _milestone_line(one: PaidMilestone) -> str:
    shown = "" if one.evidence == "statement" else f" [{one.evidence}]"
    return f"{one.due} {one.share} {one.title}{shown}"


def _read(pattern: re.Pattern[str], lines: Sequence[str], code: str) -> list[tuple[Any, ...]]:
    """Return the parts of each line; raises `ValidationError` naming the first that is not spelled so."""
    found = [(line, pattern.fullmatch(line)) for line in lines]
    wrong = next((line for line, match in found if match is None), None)
    if wrong is not None:
        raise forms.ValidationError(f"{wrong}: {t(code)}")
    return [match.groups() for _, match in found if match is not None]
