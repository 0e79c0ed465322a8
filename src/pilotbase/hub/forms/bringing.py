"""What a person hands in with a step: a form a kind, and the part of the record that it makes."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, ClassVar

import pydantic
from django import forms

from pilotbase.documents.base import LONGEST_NOTE, NAME_PATTERN, Localized, Part
from pilotbase.documents.certificate import Acceptance
from pilotbase.documents.errors import InputError
from pilotbase.documents.loading import issues_of
from pilotbase.documents.organisation import Organisation
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import (
    Appeal,
    AppealDecision,
    Approval,
    Commission,
    Interest,
    Order,
    OrderLifting,
    PlanProposal,
    Price,
    Record,
    Reviewer,
)
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.states import ApplicationState, ScenarioState
from pilotbase.documents.visible_text import make_visible
from pilotbase.documents.vocabularies import ApprovalKind, Role
from pilotbase.hub.acting import RequestActor, language, roles_of
from pilotbase.hub.models import Membership
from pilotbase.hub.presenters.names import title_of
from pilotbase.hub.sentences import approval_kind, area, t
from pilotbase.workspace.listings import Listing, Query, find_listing, list_page


@dataclass(frozen=True)
class Bringing:
    """Who hands in what kind of thing to which record."""

    acting: RequestActor
    record: Record
    act: Act

    def document(self, name: str, model: Any) -> Any:
        """Return a document that the record is about."""
        return self.acting.view.load(self.record.documents[name], model)


class StepForm(forms.Form):
    """A step with nothing but a note; the base of those that hand something in."""

    noted: ClassVar[bool] = True
    """Whether the step has a note besides what is handed in."""

    note = area(t("hub.field_note"), t("hub.help_note"), required=False, max_length=LONGEST_NOTE)
    seen = forms.CharField(widget=forms.HiddenInput, required=False, max_length=80)

    def __init__(self, bringing: Bringing, data: Any = None, **options: Any) -> None:
        super().__init__(data, **options)
        self.bringing = bringing
        self.prepare()
        if not self.noted:
            del self.fields["note"]
        else:
            self.order_fields([name for name in self.fields if name != "note"] + ["note"])

    def prepare(self) -> None:
        """Fill in choices and what is known already."""

    def part(self) -> Part | None:
        """Return what is handed in; pydantic's or our own errors say what is wrong with it."""
        return None

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not self.errors:
            try:
                self.brought = self.part()
            except InputError as error:
                self.add_error(None, [problem_of(one) for one in error.issues] or problem_of(error))
            except pydantic.ValidationError as error:
                for issue in issues_of("form", error):
                    self.add_error(self._field_of(issue.path), issue.problem.render(language()))
        return given

    def _field_of(self, path: str) -> str | None:
        return next((step for step in re.split(r"[.\[\]]+", path) if step in self.fields), None)


def problem_of(error: Any) -> str:
    """Return an error or an issue as a sentence in the reader's language."""
    return str(error.render(language()))


class CommissionForm(StepForm):
    """The terms of a trial; the versions are those of the record, or the newest of what is chosen."""

    scope = area(t("hub.scope_of_trial"), t("hub.help_scope"), max_length=LONGEST_NOTE)
    amount = forms.RegexField(
        r"^(0|[1-9][0-9]{0,11})(\.[0-9]{1,2})?$", label=t("hub.price"), help_text=t("hub.help_price"), initial="0"
    )
    currency = forms.RegexField(
        r"^[A-Z]{3}$", label=t("hub.field_currency"), help_text=t("hub.help_currency"), initial="CNY"
    )
    paid_by = forms.ChoiceField(
        label=t("hub.field_paid_by"),
        help_text=t("hub.help_paid_by"),
        choices=[(one, t(f"hub.payer.{one}")) for one in ("supplier", "demand_owner", "base")],
    )
    results = forms.ChoiceField(
        label=t("hub.results_belong"),
        help_text=t("hub.help_results"),
        choices=[(one, t(f"hub.results.{one}")) for one in ("supplier", "demand_owner", "shared")],
    )
    deadline = forms.DateField(
        label=t("hub.deadline"), help_text=t("hub.help_deadline"), widget=forms.DateInput(attrs={"type": "date"})
    )

    def prepare(self) -> None:
        if "commission" in self.bringing.record.documents:
            known: Commission = self.bringing.document("commission", Commission)
            self.initial.update(
                {
                    "scope": known.scope.render() if isinstance(known.scope, Localized) else known.scope,
                    "amount": known.price.amount,
                    "currency": known.price.currency,
                    "paid_by": known.price.paid_by,
                    "results": known.results,
                    "deadline": known.deadline,
                }
            )

    def part(self) -> Part:
        record, given = self.bringing.record, self.cleaned_data
        return Commission(
            scenario=record.subjects["scenario"],
            application=record.subjects["application"],
            scenario_version=record.documents["scenario"],
            application_version=record.documents["application"],
            scope=given["scope"],
            price=Price(amount=given["amount"], currency=given["currency"], paid_by=given["paid_by"]),
            results=given["results"],
            deadline=given["deadline"].isoformat(),
        )


class ProposeForm(CommissionForm):
    """A trial proposed: which application of one's own, on which open scenario, on which terms."""

    scenario = forms.ChoiceField(label=t("hub.scenario"), help_text=t("hub.help_choose_scenario"))
    application = forms.ChoiceField(label=t("hub.application"), help_text=t("hub.help_choose_application"))
    field_order = ("scenario", "application")

    def prepare(self) -> None:
        own = self.bringing.acting.organisation
        self._open = self._listed(Query("scenario", states=(ScenarioState.OPEN,)))
        self._submitted = self._listed(Query("application", states=(ApplicationState.SUBMITTED,), owner=own))
        for name, listings in (("scenario", self._open), ("application", self._submitted)):
            choices = [(one.subject, make_visible(one.title.render(language()))) for one in listings]
            self.fields[name].choices = choices  # type: ignore[attr-defined]

    def part(self) -> Part:
        versions = {one.subject: one.digest for one in (*self._open, *self._submitted)}
        scenario, application = self.cleaned_data["scenario"], self.cleaned_data["application"]
        subjects = {"scenario": scenario, "application": application}
        documents = {name: versions[subject] for name, subject in subjects.items()}
        record = self.bringing.record.model_copy(update={"subjects": subjects, "documents": documents})
        self.bringing = replace(self.bringing, record=record)
        return super().part()

    def _listed(self, query: Query) -> tuple[Listing, ...]:
        """Return the newest, and what the link led here from however old it is."""
        view, asked = self.bringing.acting.view, self.data.get(query.kind) or self.initial.get(query.kind, "")
        items = list_page(view, query, limit=200).items
        chosen = find_listing(view, asked)
        if chosen is None or chosen in items or (chosen.kind, chosen.state) != (query.kind, query.states[0]):
            return items
        return (*items, chosen) if query.owner in ("", chosen.owner) else items


class ProposalForm(StepForm):
    """A plan for review: the criteria are the scenario's, word for word."""

    noted = False
    remarks = area(t("hub.remarks"), t("hub.help_remarks"), required=False, max_length=LONGEST_NOTE)

    def part(self) -> Part:
        record = self.bringing.record
        scenario: Scenario = self.bringing.document("scenario", Scenario)
        return PlanProposal(
            commission=record.subject,
            scenario_version=record.documents["scenario"],
            folder=record.documents["folder"],
            criteria=tuple(criterion.rule for criterion in scenario.criteria),
            remarks=self.cleaned_data["remarks"] or None,
        )


class ApprovalForm(StepForm):
    """An approval that was granted."""

    noted = False
    kind = forms.ChoiceField(label=t("hub.field_approval_kind"), help_text=t("hub.help_approval_kind"))
    issued_by = forms.CharField(label=t("hub.field_issued_by"), help_text=t("hub.help_issued_by"), max_length=200)
    reference = forms.CharField(label=t("hub.field_reference"), help_text=t("hub.help_reference"), max_length=200)
    until = forms.DateField(
        label=t("hub.field_holds_until"),
        help_text=t("hub.help_holds_until"),
        widget=forms.DateInput(attrs={"type": "date"}),
        required=False,
    )

    def prepare(self) -> None:
        needed = self.bringing.record.approvals_needed or tuple(ApprovalKind)
        self.fields["kind"].choices = [(kind, approval_kind(kind)) for kind in needed]  # type: ignore[attr-defined]

    def part(self) -> Part:
        given = self.cleaned_data
        until = given["until"].isoformat() if given["until"] else None
        return Approval(kind=given["kind"], issued_by=given["issued_by"], reference=given["reference"], until=until)


class ReviewerForm(StepForm):
    """A reviewer, named or released."""

    noted = False
    reviewer = forms.ChoiceField(label=t("hub.field_reviewer"), help_text=t("hub.help_reviewer"))

    def prepare(self) -> None:
        named = {(one.organisation, one.person) for one in self.bringing.record.reviewers}
        self.fields["reviewer"].choices = [  # type: ignore[attr-defined]
            (f"{one.organisation} {one.person.identity}", f"{one.person.name} · {title_of(one.organisation)}")
            for one in reviewers()
            if self.bringing.act is Act.REVIEWER_NAME or (one.organisation, one.person.identity) in named
        ]

    def part(self) -> Part:
        organisation, _, person = self.cleaned_data["reviewer"].partition(" ")
        return Reviewer(organisation=organisation, person=person)


class InterestForm(StepForm):
    """A reviewer's declaration."""

    noted = False
    has_interest = forms.ChoiceField(
        label=t("hub.field_has_interest"),
        help_text=t("hub.help_has_interest"),
        choices=[("no", t("hub.no_interest")), ("yes", t("hub.an_interest"))],
        widget=forms.RadioSelect,
    )
    explanation = area(t("hub.field_explanation"), t("hub.help_explanation"), required=False, max_length=LONGEST_NOTE)

    def part(self) -> Part:
        given = self.cleaned_data
        return Interest(has_interest=given["has_interest"] == "yes", explanation=given["explanation"])


class AcceptanceForm(StepForm):
    """The demand owner's opinion on the report."""

    noted = False
    decision = forms.ChoiceField(label=t("hub.field_decision"), help_text=t("hub.help_decision"))
    conditions = area(t("hub.field_conditions"), t("hub.help_conditions"), required=False, max_length=LONGEST_NOTE)
    reason = area(t("hub.field_reason"), t("hub.help_reason"), required=False, max_length=LONGEST_NOTE)

    def prepare(self) -> None:
        refuses = self.bringing.act is Act.ACCEPTANCE_REFUSE
        allowed = ("declined",) if refuses else ("accepted", "accepted_with_conditions")
        choices = [(one, t(f"hub.decision.{one}")) for one in allowed]
        self.fields["decision"].choices = choices  # type: ignore[attr-defined]

    def part(self) -> Part:
        given = self.cleaned_data
        return Acceptance(
            report=self.bringing.record.documents["report"],
            organisation=self.bringing.acting.organisation,
            decision=given["decision"],
            conditions=tuple(line.strip() for line in given["conditions"].splitlines() if line.strip()),
            reason=given["reason"],
            at=self.bringing.acting.view.store.clock(),
        )


class AppealForm(StepForm):
    """Why a party does not accept what was done."""

    noted = False
    grounds = area(t("hub.field_grounds"), t("hub.help_grounds"), rows=5, max_length=LONGEST_NOTE)

    def part(self) -> Part:
        return Appeal(grounds=self.cleaned_data["grounds"])


class AppealDecisionForm(StepForm):
    """What becomes of an appeal."""

    noted = False
    number = forms.TypedChoiceField(label=t("hub.field_appeal"), help_text=t("hub.help_which_appeal"), coerce=int)
    upheld = forms.ChoiceField(
        label=t("hub.field_decision"),
        help_text=t("hub.help_appeal_decision"),
        choices=[("yes", t("hub.appeal_upheld")), ("no", t("hub.appeal_dismissed"))],
    )
    reasons = area(t("hub.field_reason"), t("hub.help_reason"), rows=5, max_length=LONGEST_NOTE)

    def prepare(self) -> None:
        numbers = [
            (one.number, f"{one.number} · {title_of(one.organisation)}") for one in self.bringing.record.open_appeals
        ]
        self.fields["number"].choices = numbers  # type: ignore[attr-defined]

    def part(self) -> Part:
        given = self.cleaned_data
        return AppealDecision(number=given["number"], upheld=given["upheld"] == "yes", reasons=given["reasons"])


class OrderForm(StepForm):
    """An order of the regulator."""

    noted = False
    kind = forms.ChoiceField(
        label=t("hub.field_order"),
        help_text=t("hub.help_order"),
        choices=[(one, t(f"hub.order.{one}")) for one in ("rerun", "rectification", "suspension")],
    )
    reasons = area(t("hub.field_reason"), t("hub.help_reason"), rows=5, max_length=LONGEST_NOTE)
    deadline = forms.DateField(
        label=t("hub.deadline"), help_text=t("hub.help_order_deadline"), widget=forms.DateInput(attrs={"type": "date"})
    )

    def part(self) -> Part:
        given = self.cleaned_data
        return Order(kind=given["kind"], reasons=given["reasons"], deadline=given["deadline"].isoformat())


class OrderLiftingForm(StepForm):
    """That an order no longer holds."""

    number = forms.TypedChoiceField(label=t("hub.field_order"), help_text=t("hub.help_which_order"), coerce=int)

    def prepare(self) -> None:
        open_orders = [one for one in self.bringing.record.orders if one.lifted_at is None]
        choices = [(one.number, f"{one.number} · {t(f'hub.order.{one.kind}')} · {one.deadline}") for one in open_orders]
        self.fields["number"].choices = choices  # type: ignore[attr-defined]

    def part(self) -> Part:
        return OrderLifting(number=self.cleaned_data["number"])


class OrganisationForm(StepForm):
    """An organisation: as the operator registers it, or as its members declare themselves."""

    noted = False
    name = forms.RegexField(NAME_PATTERN, label=t("hub.field_short_name"), help_text=t("hub.help_short_name"))
    title_en = forms.CharField(
        label=t("hub.field_title_en"), help_text=t("hub.help_title"), max_length=200, required=False
    )
    title_zh = forms.CharField(
        label=t("hub.field_title_zh"), help_text=t("hub.help_title"), max_length=200, required=False
    )
    roles = forms.MultipleChoiceField(
        label=t("hub.field_roles"),
        help_text=t("hub.help_roles"),
        choices=lambda: [(role.value, t(f"role.{role.value}")) for role in Role],
        widget=forms.CheckboxSelectMultiple,
    )
    contact = forms.CharField(label=t("hub.contact"), help_text=t("hub.help_contact"), max_length=200, required=False)
    related = area(t("hub.ties"), t("hub.help_ties"), rows=2, required=False)

    def prepare(self) -> None:
        if "organisation" not in self.bringing.record.documents:
            return
        known: Organisation = self.bringing.document("organisation", Organisation)
        title = known.title if isinstance(known.title, Localized) else Localized(en=known.title)
        self.initial.update(
            {
                "name": known.name,
                "title_en": title.en,
                "title_zh": title.zh,
                "roles": [role.value for role in known.roles],
                "contact": known.contact,
                "related": "\n".join(known.related),
            }
        )
        fixed = ("name", "roles") if self.bringing.act is Act.ORGANISATION_DECLARE else ("name",)
        for name in fixed:
            self.fields[name].disabled = True

    def part(self) -> Part:
        given = self.cleaned_data
        title = Localized(en=given["title_en"] or None, zh=given["title_zh"] or None)
        return Organisation(
            name=given["name"],
            title=title if title.en or title.zh else given["name"],
            roles=tuple(Role(role) for role in given["roles"]),
            contact=given["contact"],
            related=tuple(given["related"].replace(",", " ").split()),
        )


FORMS: dict[str | None, type[StepForm]] = {
    None: StepForm,
    "commission": CommissionForm,
    "plan-proposal": ProposalForm,
    "approval": ApprovalForm,
    "reviewer": ReviewerForm,
    "interest": InterestForm,
    "acceptance": AcceptanceForm,
    "appeal": AppealForm,
    "appeal-decision": AppealDecisionForm,
    "order": OrderForm,
    "order-lifting": OrderLiftingForm,
    "organisation": OrganisationForm,
}
"""`Transition.brings` → form; scenarios and applications are uploaded on pages of their own."""


def reviewers() -> list[Membership]:
    """Return the people who act as reviewers, each for an organisation, by organisation and name."""
    people = Membership.objects.select_related("person").order_by("organisation", "person__name")
    held = cache(roles_of)
    return [one for one in people if Role.REVIEWER in one.roles and Role.REVIEWER in held(one.organisation)]
