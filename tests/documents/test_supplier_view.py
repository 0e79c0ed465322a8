"""What a supplier reads of a trial: nothing that the application could have chosen digit by digit."""

import itertools
import json
import random

import pytest

from pilotbase.documents.exchanges import ExchangeFigures, SendingFigures, Stopped
from pilotbase.documents.report import Finding, Report, Section
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Outcome, Verification
from tests.page.conftest import build

FREE = ("memory_peak_bytes", "cpu_seconds", "wall_seconds", "load_seconds", "cases_per_second")


@pytest.fixture(scope="module")
def accepted() -> Report:
    return build()


def changed(report: Report, draw: random.Random) -> Report:
    """Return the report as another application would have made it that chooses everything it can freely."""
    wobble = lambda value: value * (1 + draw.uniform(-1e-3, 1e-3))  # noqa: E731
    performance = report.performance
    update = {name: type(getattr(performance, name))(wobble(getattr(performance, name))) for name in FREE}
    update["latency_quantiles"] = {name: wobble(value) for name, value in performance.latency_quantiles.items()}
    seconds = {"second": draw.randrange(60), "microsecond": draw.randrange(10**6)}
    return report.model_copy(
        update={
            "performance": performance.model_copy(update=update),
            "isolation": report.isolation.model_copy(update={"detail": str(draw.random()), "log_bytes": 0}),
            "started_at": report.started_at.replace(**seconds),
            "ended_at": report.ended_at.replace(**seconds),
        }
    )


def test_small_differences_leave_no_trace(accepted):
    base = accepted.model_copy(
        update={
            "performance": accepted.performance.model_copy(
                update=dict.fromkeys(FREE, 42.0) | {"memory_peak_bytes": 42 << 20, "latency_quantiles": {"p95": 0.042}}
            )
        }
    )
    views = set()
    for seed in range(20):
        value = changed(base, random.Random(seed)).supplier_view().to_json_value()
        value.pop("full_report")
        views.add(json.dumps(value, sort_keys=True))
    assert len(views) == 1


def test_counts_are_coarse_and_a_run_that_broke_off_never_looks_complete(accepted):
    def view(answered, abstained=0):
        counts = {"cases": 10_000, "answered": answered, "abstained": abstained, "scored": 777}
        attempt = accepted.attempt.model_copy(update={"answered": answered})
        return accepted.model_copy(update={"counts": counts, "attempt": attempt}).supplier_view()

    assert view(10_000, 1234).counts == {"cases": 10_000, "answered": 10_000, "abstained": 1200}
    assert view(9_999).counts["answered"] == view(9_999).attempt.answered == 9_900
    assert view(7).counts["answered"] == 7


def test_no_figure_of_the_view_has_more_than_two_digits(accepted):
    view = accepted.supplier_view()
    figures = [item.estimate for item in view.criteria if item.estimate is not None]
    one = [getattr(view.performance, name) for name in FREE] + list(view.performance.latency_quantiles.values())
    for number, digits in itertools.chain(((x, 2) for x in figures), ((x, 1) for x in one if x is not None)):
        assert number == float(f"{number:.{digits}g}")
    assert {item.available for item in view.criteria} == {0}
    assert view.isolation.detail == ""


def test_exchanges_say_that_something_was_lost_and_not_what():
    def told(kept, seconds, answers):
        counted = SendingFigures(sending="whole", sent=200, kept=kept, why=text("verdict.reject"))
        stopped = Stopped(seconds=seconds, answers=answers)
        figures = {
            "behind": 3,
            "restarts": answers,
            "stopped": stopped,
            "stop_within": 5,
            "record": f"sha256:{'a' * 64}",
        }
        values = {"kept": kept, "sent": 200, "form": text("exchange.form.fhir")}
        because = text(
            "trial.finding.because", said=text("trial.finding.exchange", **values), why=text("verdict.accept")
        )
        ended = text("trial.finding.stopped", within="5", answers=answers, seconds=f"{seconds:.3g}")
        found = [Finding(check="c", outcome=Outcome.FAIL, sentence=one) for one in (because, ended)]
        sections = (Section(verification=Verification.PROCESS, outcome=Outcome.FAIL, findings=tuple(found)),)
        exchange = ExchangeFigures(name="ward", form="fhir", sendings=(counted,), **figures)
        view = build().model_copy(update={"exchanges": (exchange,), "sections": sections}).supplier_view()
        value = view.to_json_value()
        return json.dumps([value["exchanges"], value["sections"]])

    assert told(131, 0.0123, 7) == told(157, 0.0141, 2) and '"kept": 100' in told(131, 0.0123, 7)
    assert '"kept": 190' not in told(199, 0.01, 1) and '"kept": 200' in told(200, 0.01, 1)


def test_the_sentences_say_no_more_than_the_figures():
    load = text("trial.finding.throughput", cases="12,345", p95="11.2", rows=256)
    ended = text("trial.finding.ended_early", answered=4321, cases=5000, reason=text("box.end.memory_limit"))
    findings = tuple(Finding(check="c", outcome=Outcome.PASS, sentence=sentence) for sentence in (load, ended))
    section = Section(verification=Verification.PROCESS, outcome=Outcome.PASS, findings=findings)
    broken = text("trial.reason.ended", reason=text("box.end.memory_limit"), answered=4321)
    view = build(sections=(section,), reasons=(broken,)).supplier_view()
    shown = [finding.sentence.render("en") for finding in view.sections[0].findings] + [view.reasons[0].render("en")]
    assert "10,000 cases per second" in shown[0]
    assert "(of up to 256 cases) within 10 ms" in shown[0]
    assert "4300 of 5000" in shown[1]
    assert "(4300 answered)" in shown[2]


def test_a_view_reads_back_the_same(accepted):
    view = accepted.supplier_view()
    assert Report.from_json_value(json.loads(view.canonical())).digest() == view.digest()


@pytest.mark.parametrize(
    ("score", "threshold", "shown"), [(0.897, 0.9, 0.89), (0.9004, 0.9, 0.91), (0.9, 0.9, 0.9), (0.925, 0.925, 0.925)]
)
def test_a_coarse_score_stays_on_its_side_of_the_threshold(accepted, score, threshold, shown):
    rule = f"accuracy >= {threshold}"
    criterion = accepted.criteria[0].model_copy(update={"rule": rule, "estimate": score, "threshold": threshold})
    reason = text("trial.reason.missed", rule=rule, estimate=f"{score:.4g}")
    view = accepted.model_copy(update={"criteria": (criterion,), "reasons": (reason,)}).supplier_view()
    assert view.criteria[0].estimate == shown
    assert view.reasons[0].params == {"rule": rule, "estimate": f"{shown:g}"}
