"""Services, their keys, budgets and usage."""

from __future__ import annotations

from pilotbase.documents.api.services import ServiceView
from pilotbase.operations import services as declared
from pilotbase.service import consents, terms
from pilotbase.worker.operations.binding import Caller, does
from pilotbase.worker.services import acts
from pilotbase.worker.services.duty_desk import diligence_of

does(declared.LIST)(lambda caller, asked: acts.list_services(caller.view))
does(declared.SHOW)(lambda caller, asked: show(caller, asked.service))
does(declared.HISTORY)(lambda caller, asked: acts.history_of(caller.view, asked.service))
does(declared.KEYS)(lambda caller, asked: terms.list_keys(caller.view, asked.service))
does(declared.CREATE_KEY)(lambda caller, asked: terms.create_key(caller.view, asked))
does(declared.REVOKE_KEY)(lambda caller, asked: terms.revoke_key(caller.view, asked.service, asked.key))
does(declared.BUDGETS)(lambda caller, asked: terms.list_budgets(caller.view, asked.service))
does(declared.SET_BUDGET)(lambda caller, asked: terms.set_budget(caller.view, asked))
does(declared.EXPOSURE)(lambda caller, asked: terms.tell_exposure(caller.view, asked.service))
does(declared.GRANT_EXPOSURE)(lambda caller, asked: terms.grant_exposure(caller.view, asked))
does(declared.DILIGENCE)(lambda caller, asked: diligence_of(caller.base, caller.view, asked.service))
does(declared.CONSENTS)(lambda caller, asked: consents.consents_of(caller.view, asked.service))
does(declared.CONSENT)(lambda caller, asked: consents.show_consent(caller.view, asked.service, asked.consent))
does(declared.DECIDE)(lambda caller, asked: consents.decide_consent(caller.view, asked))
does(declared.USAGE)(lambda caller, asked: terms.usage_by_day(caller.view, asked.service, asked.days))


@does(declared.MOVE)
def move(caller: Caller, asked: declared.Moved) -> ServiceView:
    """Stop, start, fall back or hand over to a person."""
    acts.move_service(caller.view, asked)
    return show(caller, asked.service)


def show(caller: Caller, name: str) -> ServiceView:
    """Return a service as the caller sees it."""
    return acts.show_service(caller.base, caller.view, name)
