"""The forms of a service: put into service, its terms, move, key, budget."""

from __future__ import annotations

from pilotbase.documents.service import ServiceTerms
from pilotbase.hub.forms.declared import form_of, label_of
from pilotbase.hub.sentences import t
from pilotbase.operations import services

ServiceForm = form_of(services.CREATE, "name", "title")
TermsForm = form_of(services.SET_TERMS)
MoveForm = form_of(services.MOVE, "move", "reason", words={"move": "service.move"})
KeyForm = form_of(services.CREATE_KEY)
BudgetForm = form_of(services.SET_BUDGET, "budget", "period", "calls", "tokens", words={"period": "service.period"})


def terms_told(terms: ServiceTerms) -> list[tuple[object, object]]:
    """Return terms as they stand in the form: what each is called, and its value."""
    said = terms.model_dump() | {"ask_human": t("service.asks_human" if terms.ask_human else "service.asks_nobody")}
    return [(label_of(services.SET_TERMS, name), value) for name, value in said.items()]
