"""What anybody would notice of a service that has lived its days: for one life against another, and against itself."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import func, select

from pilotbase.catalogue.records import load_record
from pilotbase.certificate.status import RevocationList, read_revocations
from pilotbase.documents.permissions import Act
from pilotbase.documents.vocabularies import CallEnd, Role, Signal
from pilotbase.documents.watch import Watch
from pilotbase.notices.outbox import list_deliveries
from pilotbase.notices.rows import list_notices
from pilotbase.service.registry import load_service
from pilotbase.service.standing import history_of
from pilotbase.service.terms import ServiceUsage, list_budgets, usage_of
from pilotbase.watch.cohorts import list_cohorts
from pilotbase.watch.incidents import list_incidents
from pilotbase.watch.labels import cases_of
from pilotbase.watch.status import status_of
from pilotbase.watch.warnings import steps_of, warnings_of
from pilotbase.worker.demo.walked_service import SERVICE
from pilotbase.workspace import watch_tables as tables
from pilotbase.workspace.actors import actor
from tests.rounds.life_for_tests import Life

OF_THE_MACHINE = (Signal.LATENCY, Signal.SILENCE)
"""What depends on how busy the machine is, and on who is killed: only that none comes twice can be said."""
ANSWERED = (CallEnd.ANSWERED, CallEnd.FELL_BACK)


def figures_of(life: Life) -> dict[str, Any]:
    """Return what is the same whoever was killed on the way."""
    view = life.view
    raised = [one for _, one in reversed(warnings_of(view, SERVICE, 1000)) if one.signal not in OF_THE_MACHINE]
    red = next(digest for digest, one in warnings_of(view, SERVICE, 1000) if one.colour == "red")
    with view.reading() as connection:
        steps = {step: done.what.code for step, done in steps_of(connection, red).items()}
    return {
        "standings": [(one.state.value, one.route) for one in reversed(history_of(view, SERVICE))],
        "armed": len([one for one in _watches(life) if one.armed_at is not None]),
        "silenced": len(view.find("silence", {"service": SERVICE})),
        "warnings": [(one.detector, one.colour.value, one.seen_to) for one in raised],
        "steps": steps,
        "answers": life.answers,
        "cohorts": sorted(_cohorts(life)),
        "acts": Counter(step.act for step in _record(life).history),
    }


def require_sound(life: Life, received: set[str]) -> None:
    """See that nothing acknowledged is lost, and nothing is there twice; ``received``: messages that a webhook got."""
    _require_observed_once(life)
    _require_metered(life)
    _require_reacted_once(life)
    _require_told_once(life, received)


def _require_observed_once(life: Life) -> None:
    cases, answers, labels = Counter[str](), {}, {}
    with life.view.reading() as connection:
        for cohort in list_cohorts(connection, SERVICE, 1000):
            for found in cases_of(connection, cohort):
                cases.update(found.pack.ids)
                answers |= dict(zip(found.pack.ids, found.pack.answers, strict=True))
                labels |= dict(zip(found.pack.ids, found.labels, strict=True))
        batches = connection.scalar(select(func.count()).select_from(tables.label_batches))
    told = {f"{call}/{row}": answer for call, given in life.answers.items() for row, answer in enumerate(given)}
    assert cases == Counter(told.keys()), "every case that was answered is observed once"
    assert answers == told, "what is observed is what was answered"
    assert labels == life.labels, "every label that was acknowledged counts"
    assert batches == len(life.answers), "no batch of labels is there twice"


def _require_metered(life: Life) -> None:
    counts, used = status_of(life.view, SERVICE).counts, usage_of(life.view, SERVICE)
    answered = sum((usage for meter, usage in used.items() if meter.end in ANSWERED), ServiceUsage())
    again = answered.calls - len(life.answers)
    assert again == counts.get("case_differs", 0), f"answered twice, observed once, and that is told: {counts}"
    assert 0 <= again <= life.kills.done.total() + len(life.crew.burnt("gateway"))
    cases = sum(map(len, life.answers.values()))
    assert answered.cases == cases if not again else answered.cases > cases
    assert {"late_case", "late_label", "batch_differs", "future"}.isdisjoint(counts), counts
    (budget,) = list_budgets(life.view, SERVICE)
    assert budget.held_calls == 0, "what killed gateways held came back"
    assert budget.used_calls == sum(usage.calls for usage in used.values()), "the budget is what the meters say"


def _require_reacted_once(life: Life) -> None:
    view = life.view
    (incident,) = list_incidents(view)
    lines = Counter((line.what.code, line.document, line.said) for line in incident.timeline)
    assert [line for line, count in lines.items() if count > 1] == [], "no line is there twice"
    noted = [line.said for line in incident.timeline if line.what.code == "incident.noted"]
    assert sorted(noted) == sorted(life.notes), "every note that was acknowledged is there once"
    acts = Counter(step.act for step in _record(life).history)
    assert (acts[Act.CERTIFICATE_SUSPEND], acts[Act.RETRIAL_ASK]) == (1, 1)
    listed = read_revocations(life.base.revocations.read_bytes(), life.base.trust.roots())
    head = view.head("revocations")
    assert head is not None and view.load(head, RevocationList) == listed, "the list is signed and published"
    assert len(listed.suspended) == 1
    raised = Counter((one.detector, one.colour, one.seen_to, one.began) for _, one in warnings_of(view, SERVICE, 1000))
    assert max(raised.values()) == 1, "no warning twice"


def _require_told_once(life: Life, received: set[str]) -> None:
    store = life.base.lab.store
    for who in (life.as_owner, actor("city-data-bureau", Role.REGULATOR), life.view.actor):
        found = list_notices(store.as_actor(who), limit=200)[0]
        told = Counter((one.subject, one.kind, one.body.model_dump_json()) for one in found)
        assert told and [one for one, count in told.items() if count > 1] == [], "no notice twice"
    sent = list_deliveries(store.as_actor(life.as_owner), life.webhook, 200)
    assert {one.state for one in sent} == {"delivered"}
    assert len({one.notice.identity for one in sent}) == len(sent), "one message a notice"
    assert received == {one.identity for one in sent}, "each was received, once or again under the same name"


def _record(life: Life):  # type: ignore[no-untyped-def]
    commission = load_service(life.view, SERVICE).routes[0].commission
    assert commission is not None
    return load_record(life.view, commission)[0]


def _watches(life: Life) -> list[Watch]:
    return [found.load(Watch) for found in life.view.find("watch", {"service": SERVICE}, 1000)]


def _cohorts(life: Life) -> list[tuple[int, int]]:
    with life.view.reading() as connection:
        return [(one.cases, one.labelled) for one in list_cohorts(connection, SERVICE, 1000)]
