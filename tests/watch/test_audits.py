"""Audits: drawn at random once a span is over, labelled blind, and the only evidence for red."""

from dataclasses import replace

import numpy as np
import pytest

from pilotbase.documents.errors import RefusedError
from pilotbase.documents.vocabularies import Colour, RedBy
from pilotbase.evidence.monitoring import expected_delay
from pilotbase.measures import RuleContext
from pilotbase.watch.arming import prepare_watch, replay_watch
from pilotbase.watch.audits import drawn, predicted_means, work_list
from pilotbase.watch.cohorts import list_cohorts
from pilotbase.watch.files import take_file, write_work
from pilotbase.watch.labels import LabelledPack, case_key
from pilotbase.watch.losses import Promised, promised_loss
from pilotbase.watch.observations import erase_case, ingest
from pilotbase.watch.running import run
from pilotbase.watch.status import status_of
from tests.watch.services_for_tests import ACME, labelled, observed, take_in
from tests.watch.test_entering import Plan, pack
from tests.watch.worlds_for_tests import DAY, TERMS, World

RISK = "risk:accuracy >= 0.85"
WEEK = 7 * 86_400


@pytest.fixture
def world(store, tmp_path):
    return World(store, tmp_path)


def detectors(world):
    return {one.detector: one for one in status_of(world.view, "milling").detectors}


def label_the_audit(world, truth: str, keep: float = 1.0) -> int:
    """Label a share of what is drawn, whatever was answered; return how many."""
    items = work_list(world.view, "milling").items
    chosen = items[: round(keep * len(items))]
    if chosen:
        take_in(world.view, labelled(f"audit-{chosen[0].case}", {one.case: truth for one in chosen}))
    return len(chosen)


def test_what_is_drawn_once_the_span_is_over_is_the_only_evidence(world, clock):
    world.arm(audit_labels=20, label_seconds=WEEK)
    world.bring(100, wrong=1.0)
    run(world.view, "milling")
    assert work_list(world.view, "milling").drawn == 0, "the span is not over: who answers could know what is looked at"
    world.pass_days(clock, 1)
    work = work_list(world.view, "milling")
    assert (work.drawn, work.waiting) == (20, 0), "the labels of all cases came by themselves"
    world.pass_days(clock, 9)
    (cohort,) = list_cohorts_of(world)
    assert (cohort.cases, cohort.audited) == (100, 20)
    assert detectors(world)[RISK].seen == 20


def test_a_case_that_had_no_chance_to_be_drawn_is_late(world, clock):
    world.arm(audit_labels=5, label_seconds=WEEK)
    world.bring(50, wrong=0.0, labels=0.0)
    at = clock.now
    clock.now = (at + DAY).replace(hour=0, minute=4)
    run(world.view, "milling")
    assert work_list(world.view, "milling").drawn == 0, "the gateway may still hand over what it answered"
    assert ingest(world.view, [observed("b2", at, {"c1": "fine"})]).late_cases == 0
    clock.step(60)
    run(world.view, "milling")
    assert work_list(world.view, "milling").drawn == 5
    assert ingest(world.view, [observed("b3", at, {"c2": "broken"})]).late_cases == 1


def test_labels_that_come_by_themselves_turn_nothing_red(world, clock):
    """Only errors are reported, all of them; of the drawn cases the truth is told."""
    world.arm(audit_labels=10, label_seconds=WEEK, red_by=RedBy.CASE)
    for _ in range(20):
        world.bring(100, wrong=0.1, labels=0.1)
        world.pass_days(clock, 1)
        label_the_audit(world, "fine")
    world.pass_days(clock, 9)
    assert detectors(world)[RISK].seen == 200
    assert detectors(world)[RISK].colour is Colour.GREEN
    assert detectors(world)["labels"].colour is Colour.GREEN


def test_drawn_cases_whose_labels_stay_away_are_orange(world, clock):
    world.arm(audit_labels=20, label_seconds=WEEK)
    for _ in range(6):
        world.bring(100, wrong=0.0, labels=0.0)
        world.pass_days(clock, 1)
        label_the_audit(world, "fine", keep=0.5)
    world.pass_days(clock, 9)
    found = detectors(world)
    assert (found["labels"].colour, found[RISK].colour) == (Colour.ORANGE, Colour.GREEN)
    raised = {one.warning.detector: one.warning for one in status_of(world.view, "milling").warnings}
    assert "missing labels" in raised["labels"].reason.render("en")
    assert "标签缺失" in raised["labels"].reason.render("zh")


def test_a_labeller_sees_what_was_asked_and_not_what_was_answered(world, clock, tmp_path):
    world.arm(audit_labels=5, label_seconds=WEEK)
    world.bring(50, wrong=0.5, labels=0.0)
    world.pass_days(clock, 1)
    work = work_list(world.view, "milling")
    assert work.labels == ("broken", "fine") and work.waiting == len(work.items) == 5
    assert all(set(one.inputs) == {"x", "shift"} for one in work.items)
    assert "fine" not in work.model_copy(update={"labels": ()}).model_dump_json()
    write_work(tmp_path / "work.csv", work)
    lines = (tmp_path / "work.csv").read_text("utf-8").splitlines()
    assert lines[0] == "case,label,shift,x" and len(lines) == 6
    filled = [lines[0], *(line.replace(",,", ",broken,", 1) for line in lines[1:4]), *lines[4:]]
    (tmp_path / "done.csv").write_text("\n".join(filled), "utf-8")
    assert take_file(world.view, "milling", tmp_path / "done.csv").labels == 3
    assert work_list(world.view, "milling").waiting == 2
    with pytest.raises(RefusedError):
        work_list(world.store.as_actor(ACME), "milling")


def test_a_case_that_is_erased_is_asked_of_nobody(world, clock):
    world.arm(audit_labels=5, label_seconds=WEEK)
    world.bring(50, wrong=0.5, labels=0.0)
    world.pass_days(clock, 1)
    first = work_list(world.view, "milling").items[0].case
    erase_case(world.view, "milling", first)
    assert first not in {one.case for one in work_list(world.view, "milling").items}
    assert work_list(world.view, "milling").drawn == 4


PROBABLE = replace(Promised("c", "v", Plan), version=None)
SETTING = RuleContext("probability", ("broken", "fine"), "broken")


class Stated(Promised):
    """An application whose answers are probabilities."""

    @property
    def setting(self) -> RuleContext:
        return SETTING


def test_every_case_is_drawn_with_the_same_chance_and_the_draw_follows_what_answers_predict():
    promised = Stated("c", None, Plan)  # type: ignore[arg-type]
    loss = promised_loss("accuracy >= 0.85", SETTING, 0.0)
    chances = np.linspace(0.01, 0.99, 40)
    asked = pack(chances.tolist())
    packs = [LabelledPack([case_key("milling", case) for case in asked.ids], asked, [None] * 40)]
    keys = np.array(packs[0].keys)
    counts, spread = np.zeros(40), []
    for seed in range(2000):
        chosen = np.isin(keys, list(drawn(packs, 8, promised, [loss], np.random.default_rng(seed))))
        counts += chosen
        spread.append(np.minimum(chances, 1 - chances)[chosen].mean())
    assert chosen.sum() == 8
    assert counts.min() > 0.8 * 400 and counts.max() < 1.2 * 400
    assert np.std(spread) < 0.02, "eight of forty at random would vary by 0.05"


def test_what_probabilities_predict_is_told_without_labels_and_classes_predict_nothing():
    stated, (loss,) = Stated("c", None, Plan), [promised_loss("accuracy >= 0.85", SETTING, 0.0)]  # type: ignore[arg-type]
    asked = pack([0.9, 0.2, 0.6])
    packs = [LabelledPack([bytes([row]) for row in range(3)], asked, [None] * 3)]
    assert predicted_means(packs, stated, [loss]) == pytest.approx([(0.1 + 0.2 + 0.4) / 3])
    plain = Promised("c", None, Plan)  # type: ignore[arg-type]
    classes = promised_loss("accuracy >= 0.85", plain.setting, 0.0)
    labels = [LabelledPack([b"a"], pack(["fine"]), [None])]
    assert predicted_means(labels, plain, [classes]) == [None]


def test_a_replay_says_how_many_labels_give_which_delay(world, clock):
    for _ in range(4):
        world.bring(50, wrong=0.1)
        world.pass_days(clock, 1)
    terms = TERMS.model_copy(update={"red_by": RedBy.PERIOD, "audit_labels": 30})
    found = replay_watch(world.lab, world.view, prepare_watch(world.lab, world.view, "milling", terms))
    assert found.entered == 30 * found.cohorts, "a draw is tried out on history, too"
    doubled = [one.periods for one in found.delays if one.times == 2.0]
    assert [one.labels for one in found.delays if one.times == 2.0] == [5, 10, 20, 30, 50, 100, 200]
    known = [one for one in doubled if one is not None]
    assert known and known == sorted(known, reverse=True)


@pytest.mark.parametrize(("labels", "known"), [(10, 44), (30, 20), (200, 19)])
def test_the_delay_that_is_planned_is_that_of_the_simulated_year(labels, known):
    """Of a risk of .20 at r0 .12: 16 days with 30 or 200 labels in simulated years, 30 with 10; told is no less."""
    assert expected_delay(0.12, 0.20, labels, 365, 0.05) == pytest.approx(known, abs=1)


def list_cohorts_of(world):
    with world.view.reading() as connection:
        return list_cohorts(connection, "milling")
