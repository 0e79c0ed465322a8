"""What a person hands in with a step: a form a kind, and the part of the record that it makes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import pydantic
from django import forms

from pilotbase.certificate.status import CertificateStatus, issued_certificates, revocations_of, standing_of
from pilotbase.documents.agreement import Agreement
from pilotbase.documents.base import LONGEST_NOTE, NAME_PATTERN, Localized, Part, localized
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.demand import Resembling, WordedDemand
from pilotbase.documents.errors import InputError
from pilotbase.documents.lifecycles import transition
from pilotbase.documents.loading import issues_of
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import BROUGHT, Commission, Price, Record, Reviewer
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.states import ApplicationState, ScenarioState
from pilotbase.documents.subjects import Organisation
from pilotbase.documents.terms import Purpose
from pilotbase.documents.vocabularies import ApprovalKind, Ownership, Role
from pilotbase.hub.acting import RequestActor, language, roles_of
from pilotbase.hub.forms.declared import Choices, DayField, ShortNameField, derive_name, fields_of, offer
from pilotbase.hub.models import Membership
from pilotbase.hub.presenters.records import title_of, title_shown
from pilotbase.hub.sentences import approval_kind, area, asked, t
from pilotbase.operations.steps import STEPS
from pilotbase.worker.demands import joinable
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

    noted = True
    """Whether the step has a note besides what is handed in."""
    brought: Any = None
    """What is handed in, once the form is valid."""

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


class OpeningForm(StepForm):
    """A scenario is submitted or opened although its cases can prove nothing."""

    although = forms.BooleanField(label=t("prospect.although"))


def problem_of(error: Any) -> str:
    """Return an error or an issue as a sentence in the reader's language."""
    return str(error.render(language()))


@dataclass(frozen=True)
class AskedPart:
    """Which fields of what a step brings are asked for; the rest of it is known."""

    fields: tuple[str, ...]
    choices: Mapping[str, Callable[[Bringing], Choices]] = field(default_factory=dict)
    known: Callable[[Bringing], dict[str, Any]] = lambda bringing: {}
    noted: bool = False


def _joinable(bringing: Bringing) -> Choices:
    own: WordedDemand = bringing.document("demand", WordedDemand)
    return hosts_offered(joinable(bringing.acting.view, own.text))


def hosts_offered(found: Iterable[Resembling]) -> Choices:
    """Return the demands of others that one may join, to be chosen from."""
    return [(one.subject, f"{localized(one.title, language())} · {title_of(one.owner)}") for one in found]


def _yes_or_no(no: str, yes: str) -> Callable[[Bringing], Choices]:
    return lambda bringing: [("no", t(no)), ("yes", t(yes))]


def _approval_kinds(bringing: Bringing) -> Choices:
    return [(kind, approval_kind(kind)) for kind in bringing.record.approvals_needed or tuple(ApprovalKind)]


def _decisions(bringing: Bringing) -> Choices:
    refuses = bringing.act is Act.ACCEPTANCE_REFUSE
    allowed = ("declined",) if refuses else ("accepted", "accepted_with_conditions")
    return [(one, t(f"hub.decision.{one}")) for one in allowed]


def _open_appeals(bringing: Bringing) -> Choices:
    return [(str(one.number), f"{one.number} · {title_of(one.organisation)}") for one in bringing.record.open_appeals]


def _open_orders(bringing: Bringing) -> Choices:
    orders = [one for one in bringing.record.orders if one.lifted_at is None]
    return [(str(one.number), f"{one.number} · {t(f'hub.order.{one.kind}')} · {one.deadline}") for one in orders]


def _proposal(bringing: Bringing) -> dict[str, Any]:
    """Return a plan but for the remarks: the criteria are the scenario's, word for word."""
    record, scenario = bringing.record, bringing.document("scenario", Scenario)
    return {
        "commission": record.subject,
        "scenario_version": record.documents["scenario"],
        "folder": record.documents["folder"],
        "criteria": tuple(criterion.rule for criterion in scenario.criteria),
    }


def _acceptance(bringing: Bringing) -> dict[str, Any]:
    acting = bringing.acting
    at, report = acting.view.store.clock(), bringing.record.documents["report"]
    return {"report": report, "organisation": acting.organisation, "at": at}


ASKED = {
    "plan-proposal": AskedPart(("remarks",), known=_proposal),
    "joined-demand": AskedPart(("demand",), {"demand": _joinable}, noted=True),
    "approval": AskedPart(("kind", "issued_by", "reference", "until"), {"kind": _approval_kinds}),
    "interest": AskedPart(
        ("has_interest", "explanation"), {"has_interest": _yes_or_no("hub.no_interest", "hub.an_interest")}
    ),
    "acceptance": AskedPart(("decision", "conditions", "reason"), {"decision": _decisions}, _acceptance),
    "appeal": AskedPart(("grounds",)),
    "appeal-decision": AskedPart(
        ("number", "upheld", "reasons"),
        {"number": _open_appeals, "upheld": _yes_or_no("hub.appeal_dismissed", "hub.appeal_upheld")},
    ),
    "order": AskedPart(("kind", "reasons", "deadline")),
    "order-lifting": AskedPart(("number",), {"number": _open_orders}, noted=True),
}
"""`Transition.brings` → what of it is asked for."""
_WORDS = {"kind": "hub.order.", "decision": "hub.decision."}
_LONG = frozenset({"remarks", "reason"})


class PartForm(StepForm):
    """What a step brings, asked for by the fields of its model."""

    def prepare(self) -> None:
        self.asked = ASKED[str(transition(self.bringing.act).brings)]
        self.noted = self.asked.noted
        self.fields |= fields_of(STEPS[self.bringing.act], *self.asked.fields, words=_WORDS)
        for name in _LONG & self.fields.keys():
            self.fields[name].widget = forms.Textarea(attrs={"rows": 3})
        offer(self, {name: offered(self.bringing) for name, offered in self.asked.choices.items()})

    def part(self) -> Part:
        said = {name: value for name in self.asked.fields if (value := self.cleaned_data[name]) not in ("", None)}
        model = BROUGHT[str(transition(self.bringing.act).brings)]
        return model.model_validate({**self.asked.known(self.bringing), **said})


class CommissionForm(StepForm):
    """The terms of a trial; the versions are those of the record, or the newest of what is chosen."""

    scope = area(t("hub.scope_of_trial"), t("hub.help_scope"), max_length=LONGEST_NOTE)
    amount = forms.RegexField(
        r"^(0|[1-9][0-9]{0,11})(\.[0-9]{1,2})?$", **asked("hub.price", "hub.help_price"), initial="0"
    )
    currency = forms.RegexField(r"^[A-Z]{3}$", **asked("hub.field_currency", "hub.help_currency"), initial="CNY")
    paid_by = forms.ChoiceField(
        **asked("hub.field_paid_by", "hub.help_paid_by"),
        choices=[(one, t(f"hub.payer.{one}")) for one in ("supplier", "demand_owner", "base")],
    )
    results = forms.ChoiceField(
        **asked("hub.results_belong", "hub.help_results"),
        choices=[(one, t(f"hub.results.{one}")) for one in ("supplier", "demand_owner", "shared")],
    )
    deadline = DayField(**asked("hub.deadline", "hub.help_deadline"))
    carries = forms.ChoiceField(**asked("hub.carries", "hub.help_carries"), required=False)

    def prepare(self) -> None:
        earlier = self._certified()
        self.fields["carries"].choices = [("", t("hub.carries_none")), *earlier]  # type: ignore[attr-defined]
        if not earlier:
            del self.fields["carries"]
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
                    "carries": known.carries or "",
                }
            )

    def _certified(self) -> list[tuple[str, str]]:
        """Return the valid certificates on which a trial of the supplier's application may build."""
        view, record = self.bringing.acting.view, self.bringing.record
        supplier, listed = record.supplier or self.bringing.acting.organisation, revocations_of(view)
        return [
            (one.serial, f"{one.application.name} {one.application.version} · {one.scenario.name}")
            for one in issued_certificates(view)
            if one.application.supplier.organisation == supplier
            and record.subjects.get("application", one.application.subject) == one.application.subject
            and record.subjects.get("scenario", one.scenario.subject) == one.scenario.subject
            and one.accepts
            and standing_of(one, listed, view.store.clock()).status is CertificateStatus.VALID
        ]

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        chosen = given.get("carries")
        if chosen and chosen not in dict(self._certified()):  # now that scenario and application are chosen too
            self.add_error("carries", t("hub.carries_of_another"))
        return given

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
            deadline=given["deadline"],
            carries=given.get("carries") or None,
        )


class ProposeForm(CommissionForm):
    """A trial proposed: which application of one's own, on which open scenario, on which terms."""

    scenario = forms.ChoiceField(**asked("hub.scenario", "hub.help_choose_scenario"))
    application = forms.ChoiceField(**asked("hub.application", "hub.help_choose_application"))
    field_order = ("scenario", "application")

    @property
    def has_nothing_to_try(self) -> bool:
        """Return whether the organisation has no application that it may propose."""
        return not self._submitted

    def prepare(self) -> None:
        super().prepare()
        own = self.bringing.acting.organisation
        self._open = self._listed(Query("scenario", states=(ScenarioState.OPEN,)))
        self._submitted = self._listed(Query("application", states=(ApplicationState.SUBMITTED,), owner=own))
        for name, listings in (("scenario", self._open), ("application", self._submitted)):
            choices = [(one.subject, title_shown(one)) for one in listings]
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


class ReviewerForm(StepForm):
    """A reviewer, named or released."""

    noted = False
    reviewer = forms.ChoiceField(**asked("hub.field_reviewer", "hub.help_reviewer"))

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


class OrganisationForm(StepForm):
    """An organisation: as the operator registers it, or as its members declare themselves."""

    noted = False
    title_en = forms.CharField(**asked("hub.field_title_en", "hub.help_title"), max_length=200, required=False)
    title_zh = forms.CharField(**asked("hub.field_title_zh", "hub.help_title"), max_length=200, required=False)
    name = ShortNameField()
    roles = forms.MultipleChoiceField(
        **asked("hub.field_roles", "hub.help_roles"),
        choices=lambda: [(role.value, t(f"role.{role.value}")) for role in Role],
        widget=forms.CheckboxSelectMultiple,
    )
    contact = forms.CharField(**asked("hub.contact", "hub.help_contact"), max_length=200, required=False)
    related = area(t("hub.ties"), t("hub.help_ties"), rows=2, required=False)
    ownership = forms.ChoiceField(
        **asked("hub.ownership", "hub.help_ownership"),
        choices=lambda: [("", "–"), *((one.value, t(f"ownership.{one.value}")) for one in Ownership)],
        required=False,
    )
    ownership_proof = forms.CharField(
        **asked("hub.ownership_proof", "hub.help_ownership_proof"), max_length=200, required=False
    )

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
                "ownership": known.ownership or "",
                "ownership_proof": known.ownership_proof,
            }
        )
        fixed = ("name", "roles") if self.bringing.act is Act.ORGANISATION_DECLARE else ("name",)
        for name in fixed:
            self.fields[name].disabled = True

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        derive_name(self, given, given.get("title_en"), given.get("title_zh"))
        return super().clean()

    def part(self) -> Part:
        given = self.cleaned_data
        title = Localized(en=given["title_en"] or None, zh=given["title_zh"] or None)
        return Organisation(
            name=given["name"],
            title=title if title.en or title.zh else given["name"],
            roles=tuple(Role(role) for role in given["roles"]),
            contact=given["contact"],
            related=tuple(given["related"].replace(",", " ").split()),
            ownership=Ownership(given["ownership"]) if given["ownership"] else None,
            ownership_proof=given["ownership_proof"],
        )


class AgreementForm(StepForm):
    """An agreement: offered by the dataset's owner to whom they name, or the published offer taken up."""

    assignee = forms.RegexField(NAME_PATTERN, **asked("hub.assignee", "hub.help_assignee"))
    purposes = area(t("hub.purposes"), t("hub.help_purposes"), rows=2, initial=Purpose.VERIFICATION.value)
    begins = DayField(**asked("hub.begins", "hub.help_begins"), required=False)
    ends = DayField(**asked("hub.ends", "hub.help_ends"), required=False)

    def prepare(self) -> None:
        if self.bringing.act is not Act.AGREEMENT_OFFER:
            del self.fields["assignee"]
        dataset: Dataset = self.bringing.document("dataset", Dataset)
        if dataset.usage is not None and dataset.usage.purposes:
            self.initial["purposes"] = "\n".join(dataset.usage.purposes)

    def part(self) -> Part:
        given, record = self.cleaned_data, self.bringing.record
        dataset: Dataset = self.bringing.document("dataset", Dataset)
        if dataset.usage is None:
            raise InputError("terms.no_offer", dataset=dataset.subject)
        return Agreement(
            dataset=dataset.subject,
            dataset_version=record.documents["dataset"],
            version=dataset.version,
            assigner=dataset.owner.organisation,
            assignee=given.get("assignee", self.bringing.acting.organisation),
            offer=dataset.usage,
            purposes=tuple(given["purposes"].replace(",", " ").split()),
            begins=given["begins"] or None,
            ends=given["ends"] or None,
        )


def reviewers() -> list[Membership]:
    """Return the people who act as reviewers, each for an organisation, by organisation and name."""
    people = Membership.objects.select_related("person").order_by("organisation", "person__name")
    held = cache(roles_of)
    return [one for one in people if Role.REVIEWER in one.roles and Role.REVIEWER in held(one.organisation)]
