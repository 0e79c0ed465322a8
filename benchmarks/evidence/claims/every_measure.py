"""Measures that no other claim simulates, at their threshold: either verdict is false there, at most α of the time."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.evidence.contract import AtMost, Beyond, Claim, Reading, Study, Words, column, each
from pilotbase.documents.criteria import parse_rule
from pilotbase.documents.scenario import Criterion
from pilotbase.documents.vocabularies import Estimand
from pilotbase.evidence import Design, attempt_levels, draw_order, exact, outcome_of
from pilotbase.measures import Cases, RunMeasurements
from pilotbase.trial.scoring import plan_criterion, plan_run

LEVELS, ALPHA = attempt_levels(exact(0.05), 1), 0.025
Rng = np.random.Generator
Draw = Callable[[Rng], Cases]
BINARY: dict[str, Any] = {"classes": ("n", "y"), "positive": "y"}


def verdict(rule: str, cases: Cases, design: Design, unit: str = "case") -> str:
    """Return the verdict of a trial of ``cases`` about their population."""
    order = draw_order(len(cases), b"every", cases.units)
    criterion = Criterion(rule=rule, estimand=Estimand.POPULATION, unit=unit)
    return outcome_of([plan_criterion(criterion, cases, order)], order, LEVELS, design).verdict


def texts(answers: Any, truth: str, **given: Any) -> Cases:
    """Return cases of one truth and such answers."""
    answers = np.array(answers, dtype=object)
    return Cases(np.full(len(answers), truth, dtype=object), answers, kind="text", given=given)


def right(rng: Rng, cases: int, share: float, good: str, poor: str) -> Any:
    return np.where(rng.random(cases) < share, good, poor).astype(object)


def nine_in_ten(rng: Rng, good: str, poor: str, truth: str) -> Cases:
    return texts(right(rng, 300, 0.9, good, poor), truth)


def forecast(rng: Rng, cases: int, gap: float) -> Cases:
    """Return probabilities of .25 and .75 that miss the share of the class by ``gap``, towards one half."""
    return outcomes(rng, np.where(rng.random(cases) < 0.5, 0.25, 0.75), gap)


def fine_forecast(rng: Rng, cases: int, gap: float) -> Cases:
    """Return probabilities of .05, .15, ... .95 that miss the share of the class by ``gap``, towards one half."""
    return outcomes(rng, (rng.integers(0, 10, cases) + 0.5) / 10, gap)


def outcomes(rng: Rng, given: Any, gap: float) -> Cases:
    """Return cases whose class comes ``gap`` nearer to one half than the probabilities ``given`` say."""
    outcome = rng.random(len(given)) < np.where(given < 0.5, given + gap, given - gap)
    return Cases(outcome.astype(np.int64), given, **BINARY, kind="probability")


def pictures(rng: Rng) -> Cases:
    """Return 400 images, one in ten of twenty pixels, else of two: half their pixels of each class.

    One in ten is answered with a single class; each class has 9/11 of its union.
    """
    halves = np.where(rng.random(400) < 0.1, 10, 1)
    truth, answers = np.empty(400, dtype=object), np.empty(400, dtype=object)
    for case, (half, luck) in enumerate(zip(halves.tolist(), rng.random(400).tolist(), strict=True)):
        truth[case] = np.repeat(np.array([[0, 1]], dtype=np.uint8), half, axis=1)
        answers[case] = truth[case] if luck >= 0.2 else np.full_like(truth[case], luck < 0.1)
    return Cases(truth, answers, classes=("a", "b"), kind="mask")


def events(rng: Rng, units: int) -> Cases:
    """Return ``units`` events of one to six cases, each found in all of its cases or in none; 80 % are found."""
    sizes = rng.integers(1, 7, units)
    codes, found = np.repeat(np.arange(units), sizes), np.repeat(rng.random(units) < 0.8, sizes)
    return Cases(np.ones(len(codes), dtype=np.int64), found.astype(np.int64), **BINARY, units=codes)


def single_events(rng: Rng) -> Cases:
    """Return cases of which one in three is an event; 80 % of the events are found."""
    truth = (rng.random(900) < 1 / 3).astype(np.int64)
    return Cases(truth, truth * (rng.random(900) < 0.8), **BINARY)


def worlds(rng: Rng) -> Cases:
    world = json.dumps({"facts": ["a"], "actions": {"go": {"needs": ["a"], "adds": ["b"], "drops": ["a"]}}})
    answers = right(rng, 300, 0.9, '["go"]', '["go", "go"]')
    return texts(answers, "b", world=np.full(300, world, dtype=object))


def secrets(rng: Rng) -> Cases:
    """Return answers to 600 cases, a third of them without a secret, that tell one secret in twenty."""
    held = np.where(rng.random(600) < 2 / 3, "blue kite", "").astype(object)
    return texts(right(rng, 600, 0.05, "it is B-L-U-E kite", "no"), "no", secret=held)


def sourced(rng: Rng) -> Cases:
    """Return answers of three sentences of which 80 % stand in the context, all or none of an answer's."""
    answers = right(rng, 300, 0.8, "Red kite. Tall mast. Deep keel.", "Old barn. Wet roof. Dry well.")
    return texts(answers, "Red kite.", passage=np.full(300, "red kite tall mast deep keel", dtype=object))


def quoted(rng: Rng) -> Cases:
    """Return answers of which two in three quote; 90 % of the quotes stand in the context."""
    quotes = right(rng, 450, 0.9, 'It says "red kite".', 'It says "old barn".')
    answers = np.where(rng.random(450) < 2 / 3, quotes, "No.")
    return texts(answers, "red", passage=np.full(450, "a red kite", dtype=object))


def shaken(rng: Rng) -> Cases:
    """Return answers that are right in 95 %, and in 90 % under noise, mostly on the same cases."""
    luck = rng.random(600)
    noisy = np.where(rng.random(600) < 0.9, luck < 0.9, rng.random(600) < 0.9)
    truth = np.ones(600, dtype=np.int64)
    return Cases(truth, (luck < 0.95).astype(np.int64), **BINARY, perturbed={"noise(0.1)": noisy.astype(np.int64)})


def spells(rng: Rng) -> RunMeasurements:
    """Return 800 blocks of 20 requests; slow requests, 1 % of all, come in spells of whole blocks."""
    slow = np.repeat(rng.random(800) < 0.01, 20)
    return RunMeasurements(np.where(slow, 0.2, 0.05), 16_000, 16_000 * 0.0515)


def within(rng: Rng) -> list[bool]:
    rule = "latency.p99(requests=20) <= 100 ms"
    plan = plan_run(rule, parse_rule(rule), spells(rng))
    found = outcome_of([plan], np.zeros(0, dtype=np.int64), LEVELS, Design()).verdict
    return [found == "accept", found == "reject"]


def requests_as_entries(rng: Rng) -> bool:
    """Return whether 16,000 requests, taken for independent ones, show that at least 99 % are within the limit."""
    late = int((spells(rng).latencies > 0.1).sum())
    return late <= 160 - 1.96 * np.sqrt(16_000 * 0.0099)


SCHEMA = '{"type": "object", "required": ["a"]}'
AT_THRESHOLD: tuple[tuple[str, str, Draw], ...] = (
    ("calibration gap, .1 in both bins", "calibration_gap(bins=2) <= 0.1", lambda rng: forecast(rng, 300, 0.1)),
    ("calibration gap, .02 in both bins", "calibration_gap(bins=2) <= 0.02", lambda rng: forecast(rng, 300, 0.02)),
    ("mean IoU of images of two sizes", "mean_iou(largest=20) >= 0.818182", pictures),
    ("events of one case", "event_recall >= 0.8", single_events),
    ("goals reached", "goal_reached(world=world) >= 0.9", worlds),
    ("secrets told", "secret_told(secret=secret) <= 0.05", secrets),
    ("sentences that stand in the context", "supported(context=passage) >= 0.8", sourced),
    ("quotes that stand in the context", "quotes_found(context=passage) >= 0.9", quoted),
    ("answers that keep to a schema", "json_schema >= 0.9", lambda rng: nine_in_ten(rng, '{"a": 1}', "{}", SCHEMA)),
    ("answers that match a pattern", "matches >= 0.9", lambda rng: nine_in_ten(rng, "ab12", "ab", "[0-9]+")),
    ("last numbers", "numeric_match(tolerance=0.5) >= 0.9", lambda rng: nine_in_ten(rng, "so 12.5", "so 12.6", "12")),
    ("drop under noise", "drop(accuracy under noise(0.1)) <= 0.05", shaken),
    ("calibration gap, .1 in ten bins", "calibration_gap <= 0.1", lambda rng: fine_forecast(rng, 300, 0.1)),
    ("calibration gap, one of ten bins", "calibration_gap <= 0.1", lambda rng: outcomes(rng, np.full(300, 0.95), 0.1)),
)


SLOW = {"calibration": 200, "mean": 400, "sentences": 400}
"""Runs of what takes long, by the first word."""


def decided(rule: str, draw: Draw, design: Design, unit: str = "case") -> Callable[[Rng], list[bool]]:
    """Return what draws cases and says whether they are accepted, and whether they are rejected."""

    def one(rng: Rng) -> list[bool]:
        found = verdict(rule, draw(rng), design, unit)
        return [found == "accept", found == "reject"]

    return one


def both(label: str, one: Callable[[Rng], list[bool]], runs: int = 1000, quick: int = 0) -> Study:
    """Return the study of a threshold that is just met, so that either verdict is false."""
    said = ("accepted", "rejected")
    readings = (Reading(f"{label}: {way}", "ours", AtMost(ALPHA), read=column(n)) for n, way in enumerate(said))
    return Study(each(one), tuple(readings), runs, quick)


def studies() -> list[Study]:
    """Return the measures at their threshold, with an early stop and at a fixed number of cases."""
    return [
        both(f"{label}, {way}", decided(rule, draw, design), SLOW.get(label.split()[0], 1000))
        for label, rule, draw in AT_THRESHOLD
        for design, way in ((Design(), "any time"), (Design("full"), "fixed"))
    ]


CLAIM = Claim(
    id="every-measure",
    source="statistics-2, §2",
    title=Words("The other measures at their threshold", "其余度量恰在阈值时"),
    sentence=Words(
        "Exactly at its threshold each of these measures is accepted in at most α of trials, and rejected in at most "
        "α: with an early stop, and at a fixed number of cases.",
        "恰在阈值时，以下每个度量被判为通过与被判为不通过的概率各不超过 α，提前停止与固定案例数两种方案均如此。",
    ),
    assumes=Words(
        "Cases are independent draws; of events the units are, of latency the blocks of requests.",
        "案例为独立抽取；事件以单位为独立抽取，时延以请求块为独立抽取。",
    ),
    studies=(
        Study(
            each(requests_as_entries), (Reading("p99, requests as units: accepted", "wrong", Beyond(ALPHA)),), 1000, 40
        ),
        both("p99 by blocks, slow in spells", within, 1000, 20),
        both(
            "events of one to six cases, any time",
            decided("event_recall >= 0.8", lambda rng: events(rng, 300), Design(), "event"),
        ),
        *studies(),
        both(
            "events of one to six cases, fixed",
            decided("event_recall >= 0.8", lambda rng: events(rng, 300), Design("full"), "event"),
            4000,
        ),
    ),
    level=ALPHA,
)
