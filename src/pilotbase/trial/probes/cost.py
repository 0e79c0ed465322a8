"""The cost of a run in a box: processor seconds at the scenario's price."""

from __future__ import annotations

from decimal import Decimal

from pilotbase.documents.endpoint import Spent
from pilotbase.documents.report import Finding
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Outcome, Verification
from pilotbase.trial.performance import Load
from pilotbase.trial.probing import Findings, Probe, ProbeSubject
from pilotbase.trial.running import BoxRun

_HOUR = 3600
_PLACES = Decimal("1e-9")


class CostOfRun(Probe[Spent]):
    """The cost of 1,000 cases; nothing without a price, or for a paid endpoint.

    The processor seconds include loading, so an application that answers few cases pays for it too.
    """

    name = "cost"
    found = Spent
    sections = frozenset({Verification.PRODUCTION})
    kept = False

    def look(self, subject: ProbeSubject, run: BoxRun | None) -> Spent | None:
        price = subject.asked.processor_hour
        if run is None or price is None or run.use is not None or run.load.cpu_seconds is None or not run.load.cases:
            return None
        of_thousand = Decimal(repr(run.load.cpu_seconds)) / run.load.cases * 1000 / _HOUR * price.amount
        return Spent(
            cases=run.load.cases,
            cost_per_thousand=min(of_thousand, Decimal(10**9) - 1).quantize(_PLACES),
            currency=price.currency,
        )

    def add(self, run: BoxRun, found: Spent) -> BoxRun:
        """Return ``run`` with its cost, which measures read like an endpoint's."""
        return run.measured(spent=found)

    def of(self, load: Load) -> Spent | None:
        """Return the cost of a run in a box; nobody sees what an endpoint uses, and what a model costs is no time."""
        spent = load.spent
        return None if load.cpu_seconds is None or spent is None or spent.tokens is not None else spent

    def findings(self, found: Spent) -> Findings:
        if found.cost_per_thousand is None:
            return {}
        values = {"amount": f"{found.cost_per_thousand:.2g}", "currency": found.currency}
        told = Finding(check="cost", outcome=Outcome.PASS, sentence=text("trial.finding.cost", **values))
        return {Verification.PRODUCTION: [told]}


PROBE = CostOfRun()
