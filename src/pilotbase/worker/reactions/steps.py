"""How the base reacts: named steps about a cause, each taken once, even if a worker is killed in between.

A step and the row that records it are written in one transaction. Effects outside of it (moves of a service, the signed
list of revocations) are idempotent, and happen before the row is written. So a killed worker repeats only what changes
nothing, and of two workers one does it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from pilotbase.catalogue.records import both_languages
from pilotbase.documents.base import Localized
from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.notice import Address, NoticeBody, NoticeKind
from pilotbase.documents.service import Service, ServiceStatus
from pilotbase.documents.subjects import incident_subject, service_subject
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Countermeasure, Role
from pilotbase.documents.watch import Incident, TimelineEntry
from pilotbase.notices import outbox
from pilotbase.notices.rows import NoticeDraft
from pilotbase.service.registry import load_service
from pilotbase.service.standing import ask_human, fall_back, standing_of, take_offline
from pilotbase.watch.incidents import continue_open
from pilotbase.watch.warnings import Done, find_step, keep_step
from pilotbase.worker import rounds
from pilotbase.worker.base import Base
from pilotbase.worker.reactions.drafts import webhook_roles
from pilotbase.workspace.failures import ConflictError
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction

PASSING = (*rounds.PASSING, ConflictError)
"""Errors that pass by themselves: the step is tried again in the next round."""
_TOLD = 0.1
"""Seconds below which no number is shown: a clock of tenths would say 0.0."""
_log = logging.getLogger("pilotbase.reactions")
Finish = Callable[[Transaction], Done]
"""The part of a step that is written together with the row that records it."""


@dataclass(frozen=True)
class Cause:
    """Why something is done, and about which service."""

    digest: Digest
    service: str


@dataclass(frozen=True)
class Reacting:
    """What a reaction needs: the base, as its own process sees it."""

    base: Base

    @property
    def view(self) -> View:
        return self.base.lab.view

    def once(self, cause: Cause, step: str, act: Callable[[], Finish]) -> Done:
        """Take a step about a cause unless it was taken, and return its result.

        A failure is recorded as the result, so that the later steps are taken; raises errors that pass by themselves
        (`PASSING`).
        """
        known = self._taken(self.view, cause, step)
        if known is not None:
            return known
        try:
            return self._write(cause, step, act())
        except PASSING:
            raise
        except PilotbaseError as error:
            failure = error.text
        except Exception as error:  # noqa: BLE001 - any error: the steps after it are taken
            _log.exception("a reaction broke off: %s", step)
            failure = text("reaction.crashed", error=type(error).__name__)
        broken = told_to_incident(self, cause.service, lambda change: _failed(change, step, failure))
        return self._write(cause, step, broken)

    def tell(self, change: Transaction, drafts: list[NoticeDraft]) -> None:
        """Keep notices and queue them for webhooks, together with the other writes of ``change``."""
        outbox.tell(change.connection, drafts, webhook_roles(self.view.within(change)), change.now)

    def _write(self, cause: Cause, step: str, finish: Finish) -> Done:
        with self.view.transaction(f"reaction.{step.partition(':')[0]}") as change:
            known = self._taken(self.view.within(change), cause, step)
            if known is not None:  # another worker was first
                return known
            done = finish(change)
            keep_step(change, cause.digest, step, cause.service, done)
        return done

    def _taken(self, view: View, cause: Cause, step: str) -> Done | None:
        with view.reading() as connection:
            found = find_step(connection, cause.digest, step)
        return None if found is None else Done.model_validate_json(found)


def told_to_incident(reacting: Reacting, service: str, finish: Finish) -> Finish:
    """Return ``finish`` with a line in the open incident of ``service``, if there is one."""

    def both(change: Transaction) -> Done:
        done = finish(change)
        by = change.actor.organisation
        line = TimelineEntry(at=done.at, what=done.what, organisation=by, document=done.document)
        continue_open(change, reacting.view, service, [line])
        return done

    return both


def _failed(change: Transaction, step: str, failure: Text) -> Done:
    what = text("reaction.failed", step=text(f"reaction.step.{step.partition(':')[0]}"), reason=failure)
    return Done(what=what, at=change.now, failed=True)


def move_service(
    view: View, measure: Countermeasure, where: tuple[str, int | None], why: tuple[Text, Digest]
) -> ServiceStatus:
    """Move a service and return its new status: once for a cause, and off one route once for all causes.

    If a person is to answer and the service declares no desk, nobody answers: it is stopped.

    ``where``: its name, and the route to leave; None: it was left before, and there is nothing to fall back from.
    """
    name, route = where
    if measure is Countermeasure.ASK_HUMAN and load_service(view, name).terms.ask_human:
        return ask_human(view, name, *why)
    if measure in (Countermeasure.ASK_HUMAN, Countermeasure.TAKE_OFFLINE):
        return take_offline(view, name, *why)
    return standing_of(view, name) if route is None else fall_back(view, name, *why, off=route)


def timed(state: Text, raised: datetime, done: datetime, allowed: int) -> Text:
    """Return the result, its delay after the warning, and whether that is longer than allowed."""
    seconds = max(0.0, (done - raised).total_seconds())
    code = "reaction.measure_done" if seconds <= allowed else "reaction.measure_late"
    spoken = f"{seconds:.1f}" if seconds >= _TOLD else text("reaction.at_once")
    return text(code, state=state, seconds=spoken, allowed=allowed)


def about_service(service: Service, said: Text, happening: str) -> list[NoticeDraft]:
    """Return the notices about a service."""
    told = [Address(organisation=service.organisation), Address(role=Role.OPERATOR)]
    return [_draft(service_subject(service.name), address, service, said, happening) for address in told]


def about_incident(incident: Incident, service: Service, said: Text, happening: str) -> list[NoticeDraft]:
    """Return the notices about an incident of ``service``; regulators are not notified of a drill."""
    told = [Address(organisation=service.organisation), Address(role=Role.OPERATOR)]
    told += [] if incident.drill else [Address(role=Role.REGULATOR)]
    return [_draft(incident_subject(incident.number), address, service, said, happening) for address in told]


def about_base(said: Text, happening: str) -> list[NoticeDraft]:
    """Return the notice to the operator about the base's own work."""
    name = text("reaction.name")
    body = NoticeBody(title=Localized(en=name.render("en"), zh=name.render("zh")), said=said)
    return [NoticeDraft(NoticeKind.WATCH, "", Address(role=Role.OPERATOR), body, happening)]


def _draft(subject: str, address: Address, service: Service, said: Text, happening: str) -> NoticeDraft:
    return NoticeDraft(
        NoticeKind.WATCH, subject, address, NoticeBody(title=both_languages(service.title), said=said), happening
    )
