"""The planning sheet as a form: weights and rules, and rows of resources, scenarios, shares of sectors and goals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from django import forms
from django.http import QueryDict

from pilotbase.documents.base import Localized, slug
from pilotbase.documents.planning import (
    MOST_WEIGHT,
    Balance,
    PhaseGoal,
    PlanCandidate,
    PlanningSheet,
    Resource,
)
from pilotbase.documents.roadmap import Driving, Phase
from pilotbase.documents.texts import LANGUAGES
from pilotbase.documents.vocabularies import Action, Sector
from pilotbase.hub.acting import language
from pilotbase.hub.forms.datasets import Words
from pilotbase.hub.forms.declared import Choices, pairs_of
from pilotbase.hub.forms.parts import ADD, MOST_ROWS
from pilotbase.hub.sentences import t
from pilotbase.roadmap.ranking import CRITERIA

_MOST = 10**12


def _number(label: str, most: float = _MOST, **options: Any) -> forms.FloatField:
    return forms.FloatField(label=t(label), min_value=0, max_value=most, **{"required": False, **options})


def _one_of(vocabulary: str, label: str, values: Any, empty: str = "–") -> forms.ChoiceField:
    choices = [("", empty), *((one.value, t(f"{vocabulary}.{one.value}")) for one in values)]
    return forms.ChoiceField(label=t(label), choices=choices, required=False)


def _title(known: Localized | str) -> dict[str, Any]:
    both = known if isinstance(known, Localized) else Localized(**{language(): known})
    return {"title_en": both.en, "title_zh": both.zh}


class _Row(forms.Form):
    """One row; what is left out of an empty one, or ticked away, is not in the sheet."""

    gone = forms.BooleanField(label=t("planning.row.gone"), required=False)
    field_order: tuple[str, ...] = ()

    def __init__(self, data: Any, prefix: str, offered: Mapping[str, Choices], known: Any = None) -> None:
        super().__init__(data, prefix=prefix, initial=self.filled(known) if known is not None else None)
        self.known = known
        if known is None:
            del self.fields["gone"]
        self.order_fields([name for name in self.fields if name != "gone"])

    def filled(self, known: Any) -> dict[str, Any]:
        """Return what the fields say of a part of the sheet."""
        return {}

    def said(self) -> dict[str, Any]:
        """Return the row as the sheet spells it; empty: it has no such row."""
        return {}


class _TitledRow(_Row):
    title_en = Words("describing.title_en")
    title_zh = Words("describing.title_zh")

    def title(self) -> dict[str, str]:
        return {one: said for one in LANGUAGES if (said := self.cleaned_data[f"title_{one}"])}


class _ResourceRow(_TitledRow):
    """A resource: how much there is in each phase, and what a scenario usually uses of it."""

    unit = forms.CharField(label=t("planning.row.unit"), max_length=20, required=False)
    usual = _number("planning.row.usual")
    p1, p2, p3 = (_number(f"phase.{phase.value}") for phase in Phase)

    def filled(self, known: tuple[Resource, float | None]) -> dict[str, Any]:
        resource, usual = known
        limits = {phase.value: amount for phase, amount in resource.limits.items()}
        return {**_title(resource.title), "unit": resource.unit, "usual": usual, **limits}

    def said(self) -> dict[str, Any]:
        given, title = self.cleaned_data, self.title()
        name = self.known[0].name if self.known else slug(title.get("en") or title.get("zh") or "", "resource")
        limits = {phase.value: given[phase.value] for phase in Phase if given[phase.value] is not None}
        return {"name": name, "title": title, "unit": given["unit"], "limits": limits} if title else {}


class _CandidateRow(_Row):
    """A scenario of which more is known than its rating."""

    scenario = forms.ChoiceField(label=t("planning.row.scenario"), required=False)
    taken = forms.ChoiceField(
        label=t("planning.row.taken"),
        choices=[("", t("planning.row.free")), ("must", t("planning.row.must")), ("never", t("planning.row.never"))],
        required=False,
    )
    phases = forms.MultipleChoiceField(
        label=t("planning.row.phases"),
        choices=[(phase.value, t(f"phase.{phase.value}")) for phase in Phase],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    months = forms.IntegerField(label=t("planning.row.months"), min_value=1, max_value=120, required=False)
    after = forms.MultipleChoiceField(label=t("planning.row.after"), required=False)
    uses = forms.CharField(label=t("planning.row.uses"), help_text=t("planning.row.uses_help"), required=False)
    gives = Words("planning.row.gives", t("planning.row.gives_help"), 2, pairs_of)

    def __init__(self, data: Any, prefix: str, offered: Mapping[str, Choices], known: Any = None) -> None:
        super().__init__(data, prefix, offered, known)
        self.needs = [name for name, _ in offered["resources"]]
        for name, title in offered["resources"]:
            self.fields[f"need-{name}"] = forms.FloatField(
                label=title, min_value=0, max_value=_MOST, required=False, help_text=t("planning.row.need_help")
            )
        self.fields["scenario"].choices = [("", "–"), *offered["scenarios"]]  # type: ignore[attr-defined]
        self.fields["after"].choices = offered["scenarios"]  # type: ignore[attr-defined]

    def filled(self, known: PlanCandidate) -> dict[str, Any]:
        taken = "must" if known.must else "never" if known.never else ""
        needs = {f"need-{name}": amount for name, amount in known.needs.items()}
        gives = {name: f"{amount:g}" for name, amount in known.gives.items()}
        plain = {"scenario": known.scenario, "months": known.months, "after": list(known.after)}
        plain["uses"] = " ".join(known.uses)
        return {**plain, "taken": taken, "phases": [phase.value for phase in known.phases], "gives": gives, **needs}

    def clean_gives(self) -> dict[str, float]:
        try:
            return {name: float(amount) for name, amount in self.cleaned_data["gives"].items()}
        except ValueError:
            raise forms.ValidationError(t("planning.row.gives_help")) from None

    def said(self) -> dict[str, Any]:
        given = self.cleaned_data
        if not given["scenario"]:
            return {}
        needs = {name: given[f"need-{name}"] for name in self.needs if given[f"need-{name}"] is not None}
        plain = {name: given[name] for name in ("scenario", "phases", "months", "after", "gives")}
        plain["uses"] = given["uses"].replace(",", " ").split()
        return {**plain, "needs": needs, "must": given["taken"] == "must", "never": given["taken"] == "never"}


class _BalanceRow(_Row):
    """A share of the scenarios that is kept for a sector."""

    sector = _one_of("sector", "describing.sector", Sector)
    least = _number("planning.row.least", 99)

    def filled(self, known: Balance) -> dict[str, Any]:
        return {"sector": known.sector, "least": round(100 * known.least, 6)}

    def said(self) -> dict[str, Any]:
        given = self.cleaned_data
        return {"sector": given["sector"], "least": given["least"] / 100} if given["sector"] and given["least"] else {}


class _GoalRow(_TitledRow):
    """What is to be reached by the end of a phase."""

    by = forms.ChoiceField(label=t("planning.by"), choices=[(one.value, t(f"phase.{one.value}")) for one in Phase])
    of = forms.CharField(label=t("planning.row.of"), help_text=t("planning.row.of_help"), max_length=63, required=False)
    sector = _one_of("sector", "describing.sector", Sector)
    action = _one_of("action", "demand.field.action", Action)
    number = _number("planning.row.number")
    share = _number("planning.row.share", 100)
    weight = _number("planning.row.weight", 1000)

    def filled(self, known: PhaseGoal) -> dict[str, Any]:
        share = None if known.share is None else round(100 * known.share, 6)
        plain = {name: getattr(known, name) for name in ("of", "sector", "action", "number", "weight")}
        return {**_title(known.title), **plain, "by": known.by.value, "share": share}

    def said(self) -> dict[str, Any]:
        given, title = self.cleaned_data, self.title()
        if not title:
            return {}
        plain = {name: given[name] or None for name in ("of", "sector", "action")}
        share = None if given["share"] is None else given["share"] / 100
        weight = 1.0 if given["weight"] is None else given["weight"]
        return {**plain, "title": title, "by": given["by"], "number": given["number"], "share": share, "weight": weight}


_ROWS: Mapping[str, type[_Row]] = {
    "resources": _ResourceRow,
    "candidates": _CandidateRow,
    "balance": _BalanceRow,
    "goals": _GoalRow,
}


class SheetForm(forms.Form):
    """The whole sheet: its numbers, and the rows of each kind with an empty one at the end."""

    driving = forms.ChoiceField(
        label=t("roadmap.driving_by"), choices=[(one, t(f"roadmap.driving_by.{one}")) for one in get_args(Driving)]
    )
    discount = _number("planning.field.discount", 100, required=True)
    keep = _number("planning.keep", 100, required=True, help_text=t("planning.keep.help"))
    usual_months = forms.IntegerField(label=t("planning.field.usual_months"), min_value=1, max_value=120)
    gap = _number("planning.field.gap", 50, required=True)
    seen = forms.CharField(widget=forms.HiddenInput, required=False, max_length=80)
    seconds = forms.IntegerField(label=t("planning.field.seconds"), min_value=1, max_value=120)

    def __init__(self, before: PlanningSheet, scenarios: Choices, data: QueryDict | None = None) -> None:
        plain = {name: getattr(before, name) for name in (*CRITERIA, "driving", "keep", "usual_months", "seconds")}
        shares = {name: round(100 * getattr(before, name), 6) for name in ("discount", "gap")}
        super().__init__(data, initial={**plain, **shares, "seen": before.digest()})
        self.before = before.digest()
        for name in CRITERIA:
            self.fields[name] = forms.IntegerField(label=t(f"roadmap.{name}"), min_value=0, max_value=MOST_WEIGHT)
        self.order_fields(CRITERIA)
        resources = [(one.name, f"{_said(one.title)} {one.unit}".strip()) for one in before.resources]
        offered = {"scenarios": scenarios, "resources": resources}
        known: dict[str, list[Any]] = {name: list(getattr(before, name)) for name in _ROWS}
        known["resources"] = [(one, before.usual.get(one.name)) for one in before.resources]
        self.rows = {name: self._rows(name, known[name], offered) for name in _ROWS}

    @property
    def fits(self) -> bool:
        """Return whether every row is shown."""
        return all(len(rows) <= MOST_ROWS for rows in self.rows.values())

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("seen") != self.before:  # only its position identifies a row
            raise forms.ValidationError(t("studio.changed_meanwhile"))
        return given

    def is_valid(self) -> bool:
        rows = [row.is_valid() for rows in self.rows.values() for row in rows]
        return super().is_valid() and all(rows)

    def said(self) -> dict[str, Any]:
        """Return the sheet as it is spelled."""
        given = self.cleaned_data
        plain = {name: given[name] for name in (*CRITERIA, "driving", "keep", "usual_months", "seconds")}
        usual: dict[str, float] = {}
        lists: dict[str, list[Any]] = {name: [] for name in _ROWS}
        for name, rows in self.rows.items():
            for row in rows:
                said = {} if row.cleaned_data.get("gone") else row.said()
                lists[name] += [said] if said else []
                if said and row.cleaned_data.get("usual") is not None:
                    usual[said["name"]] = row.cleaned_data["usual"]
        return {**plain, "discount": given["discount"] / 100, "gap": given["gap"] / 100, "usual": usual, **lists}

    def _rows(self, name: str, known: list[Any], offered: Mapping[str, Choices]) -> list[_Row]:
        """Return the rows of a kind: those of the sheet, and the new ones, one at least."""
        data, count = (self.data if self.is_bound else None), len(known) + 1
        if data is not None:
            sent = sum(1 for key in data if key.startswith(f"{name}-") and key.endswith(f"-{_FIRST[name]}"))
            count = max(count, min(sent, MOST_ROWS)) + (data.get(ADD) == name)
        kind = _ROWS[name]
        return [kind(data, f"{name}-{at}", offered, known[at] if at < len(known) else None) for at in range(count)]


_FIRST = {"resources": "unit", "candidates": "scenario", "balance": "sector", "goals": "by"}
"""Rows → the field that every one sends."""


def _said(title: Localized | str) -> str:
    return title.render(language()) if isinstance(title, Localized) else title
