"""The journey of a record from demand to use, as figures count it: its milestones, verdict and price."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from pilotbase.catalogue.wording import content_of
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import Commission, Record, milestones
from pilotbase.documents.report import Report
from pilotbase.documents.scenario import Scenario
from pilotbase.workspace.journeys import Journey, Worth, find_journey
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction


def journey_of(change: Transaction, base: View, record: Record) -> Journey | None:
    """Return the journey of a scenario or a trial after its newest step, None for other kinds of records.

    ``base`` must see every document.
    """
    reached = milestones((step.act, step.at) for step in record.history)
    if record.kind == "scenario":
        scenario = content_of(change, base, record, "scenario", Scenario)
        assert scenario is not None
        return Journey(
            record.subject, record.kind, reached, supports=frozenset(scenario.supports), worth=_worth(scenario)
        )
    if record.kind != "commission":
        return None
    before = find_journey(change, record.subject) or Journey(record.subject, record.kind)
    demand = find_journey(change, record.subjects["scenario"])
    price = base.load(record.documents["commission"], Commission).price
    report = _new_report(base, record)
    return replace(
        before,
        reached={**(demand.reached if demand else {}), **reached},
        verdict=report.verdict.value if report else before.verdict,
        supplier=record.supplier or "",
        amount=int(Decimal(price.amount) * 100),
        currency=price.currency,
        cpu_ms=_cpu_ms(before, report),
        supports=demand.supports if demand else frozenset(),
    )


def _worth(scenario: Scenario) -> Worth | None:
    value = scenario.value
    return Worth(value.potential, value.maturity, value.driving_effect) if value is not None else None


def _new_report(base: View, record: Record) -> Report | None:
    """Return the report that the newest step brought, if it did."""
    is_reported = record.history[-1].act is Act.TRIAL_REPORT
    return base.load(record.documents["report"], Report) if is_reported else None


def _cpu_ms(before: Journey, report: Report | None) -> int | None:
    """Return the CPU time of all rounds; one that nobody metered adds nothing to what is known."""
    performance = report.performance if report is not None else None
    if performance is None or performance.cpu_seconds is None:
        return before.cpu_ms
    return (before.cpu_ms or 0) + round(performance.cpu_seconds * 1000)
