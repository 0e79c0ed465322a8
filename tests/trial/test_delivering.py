"""Delivery: every case once, in an order that a secret alone fixes, and the same again after any break."""

import ast
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbase.documents.contract import Prediction
from pilotbase.documents.limits import EndReason
from pilotbase.documents.scenario import Scenario
from pilotbase.protocols.frames import AnswerBatch
from pilotbase.sandbox.box.ends import BoxEnd, BoxEnded
from pilotbase.trial.answering import AnswerLog, answer_cases, complete_answers, count_abstentions
from pilotbase.trial.delivering import Cut, SecretDelivery, as_hidden, cut_as_stated, in_file_order, in_secret_order
from tests.packages_for_tests import files
from tests.trial.test_design_findings import SCENARIO

SOURCE = Path(__file__).parents[2] / "src" / "pilotbase"
VALUE = Prediction(kind="value")


def numbered(cases: int) -> dict[str, np.ndarray]:
    return {"number": np.arange(cases)}


def secret(number: int) -> bytes:
    return number.to_bytes(32, "big")


def sizes(asked) -> np.ndarray:
    return np.diff(asked.ends, prepend=0)


def asked_in(asked, start: int = 0) -> list[int]:
    return [number for batch in asked.batches(start) for number in batch.columns["number"].tolist()]


@given(st.integers(1, 400), st.integers(1, 70), st.integers(1, 3), st.booleans(), st.integers(0, 2**32))
def test_every_case_is_asked_once_a_run_in_batches_that_keep_to_their_bounds(each, rows, runs, even, seed):
    cases, cut = each * runs, Cut(rows, runs, even)
    asked = in_secret_order(numbered(cases), cut, secret(seed))
    for run in range(runs):
        assert sorted(asked.order[run * each : (run + 1) * each] - run * each) == list(range(each))
    assert asked_in(asked) == asked.order.tolist()
    found = sizes(asked)
    assert found.sum() == cases and len(found) == cut.batches_of(cases) and found.max() <= rows
    least = -(-rows // 2)
    assert found.min() >= (1 if even else min(least, cases))
    assert (found == rows).sum() >= len(found) - 1 or not even


@given(st.integers(1, 200), st.integers(1, 40), st.integers(0, 2**32), st.data())
def test_who_goes_on_after_any_batch_asks_what_was_not_asked_and_nothing_else(cases, rows, seed, data):
    asked = in_secret_order(numbered(cases), Cut(rows), secret(seed))
    start = data.draw(st.sampled_from([0, *asked.ends.tolist()]))
    assert asked_in(asked, start) == asked.order[start:].tolist()
    again = in_secret_order(numbered(cases), Cut(rows), secret(seed))
    assert [batch.rows for batch in again.batches(start)] == sizes(asked)[np.cumsum(sizes(asked)) > start].tolist()


def test_the_order_is_as_chance_would_have_it_and_says_nothing_of_the_file():
    rounds, cases = 3000, 10
    turns = np.zeros((cases, cases))
    for number in range(rounds):
        order = in_secret_order(numbered(cases), Cut(4), secret(number)).order
        turns[order, np.arange(cases)] += 1
    expected = rounds / cases
    assert ((turns - expected) ** 2 / expected).sum() < 81 + 5 * (2 * 81) ** 0.5, "χ² with 81 degrees of freedom"
    far = 4 / 2000**0.5
    orders = [in_secret_order(numbered(2000), Cut(64), secret(number)).order for number in range(20)]
    assert all(abs(np.corrcoef(order, np.arange(2000))[0, 1]) < far for order in orders)
    assert all(abs(np.corrcoef(one, other)[0, 1]) < far for one, other in pairwise(orders))


def test_no_size_tells_which_batch_is_the_last():
    last, any_batch = [], []
    for number in range(600):
        found = sizes(in_secret_order(numbered(1000), Cut(64), secret(number)))
        last.append(found[-1])
        any_batch.append(found.mean())
    assert len(set(last)) == 33, "every size from 32 to 64 comes last now and then"
    spread = 10 / 600**0.5
    assert abs(np.mean(last) - np.mean(any_batch)) < 4 * spread
    short = [int(np.argmin(sizes(in_secret_order(numbered(100), Cut(30, even=True), secret(n))))) for n in range(200)]
    assert set(short) == {0, 1, 2, 3}, "where all but one are full, the short one comes anywhere"


def test_runs_of_all_cases_are_each_in_an_order_of_their_own():
    order = in_secret_order(numbered(300), Cut(64, runs=3), secret(1)).order
    runs = [(order[run * 100 : (run + 1) * 100] - run * 100).tolist() for run in range(3)]
    assert runs[0] != runs[1] != runs[2] != runs[0]


def test_time_goes_forward_where_the_scenario_asks_for_it_and_only_there():
    moments = np.repeat(np.arange(50), 4)
    cut = Cut(16, moments=moments)
    orders = [in_secret_order(numbered(200), cut, secret(number)).order for number in range(2)]
    for order in orders:
        assert (np.diff(moments[order]) >= 0).all()
    assert orders[0].tolist() != orders[1].tolist(), "cases of one moment come in a secret order"
    fields = [{"name": "day", "dataType": "sc:Integer"}, *SCENARIO["data"]["fields"]]
    data = {**SCENARIO["data"], "fields": fields, "split": {"method": "time", "column": "day", "hidden_from": "5"}}
    frame = pl.DataFrame({"day": [9, 7, None, 7]})
    asks = Scenario.model_validate({**SCENARIO, "data": data, "trial": {"delivery": "in_time"}})
    assert cut_as_stated(asks, frame).moments.tolist() == [2, 1, 0, 1]
    silent = Scenario.model_validate({**SCENARIO, "data": data})
    assert cut_as_stated(silent, frame).moments is None


class Doubling:
    """Answers each number with its double, and ends after so many batches."""

    def __init__(self, batches: int) -> None:
        self.left, self.seen = batches, []

    def predict(self, batch, following=None):
        if not self.left:
            raise BoxEnded(BoxEnd(EndReason.APPLICATION_ERROR, 0, ""))
        self.left -= 1
        self.seen += batch.columns["number"].tolist()
        return AnswerBatch(2.0 * batch.columns["number"])


@pytest.mark.parametrize("broken_after", [0, 1, 4])
def test_answers_stand_with_their_cases_whatever_ends_the_run(tmp_path, broken_after):
    features = {"number": np.arange(100.0)}
    asked = in_secret_order(features, Cut(20), secret(5))
    first, second = Doubling(broken_after), Doubling(100)
    with AnswerLog(tmp_path / "answers", b"plan") as log:
        answer_cases(first, asked, log)
        answers = complete_answers(asked, log.values(), VALUE)
        rows = asked.order[: log.answered]
        assert answers[rows].tolist() == (2.0 * rows).tolist()
        assert np.isnan(np.delete(answers, rows)).all()
        assert count_abstentions(answers, log.answered, VALUE) == 0
    again = in_secret_order(features, Cut(20), secret(5))
    with AnswerLog(tmp_path / "answers", b"plan") as log:
        answer_cases(second, again, log)
        assert first.seen + second.seen == again.order.tolist(), "nothing is asked twice, nothing in another order"
        assert complete_answers(again, log.values(), VALUE).tolist() == list(range(0, 200, 2))


def callers(name: str) -> set[str]:
    """Return which files call a function."""
    texts = ((file, path.read_text("utf-8")) for file, path in files("*.py"))
    return {
        file
        for file, text in texts
        if f"{name}(" in text
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
    }


def test_hidden_cases_have_one_way_into_a_box_and_it_asks_for_a_secret_delivery():
    """`run_on_hidden` takes a `SecretDelivery` (mypy holds it to that); whoever else runs a box has no hidden case."""
    assert callers("run_on_hidden") == {"trial/perturbed_arms.py", "trial/hidden_runs.py", "trial/baselines.py"}
    assert callers("in_secret_order") == {"trial/perturbed_arms.py", "trial/hidden_runs.py"}
    asks_openly = {"trial/perturbed_arms.py", "trial/probing.py", "trial/baselines.py"}
    assert callers("run_candidate") == {*asks_openly, "trial/running.py"}
    assert callers("in_file_order") == {"trial/probing.py", "trial/judge_models/folder.py"}
    assert callers("as_hidden") == {"trial/perturbed_arms.py"}
    assert callers("answer_cases") == {"trial/running.py", "trial/judge_models/folder.py"}
    assert isinstance(in_secret_order(numbered(3), Cut(2), b""), SecretDelivery)
    for open_one in (in_file_order(numbered(3), 2), as_hidden(numbered(3), Cut(2))):
        assert not isinstance(open_one, SecretDelivery)
