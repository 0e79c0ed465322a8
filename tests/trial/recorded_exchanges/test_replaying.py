"""One exchange of a worker that is told what to do: each message as it must be handled, and what is not is told."""

import itertools
import json
import threading

import numpy as np

from pilotbase.documents.contract import Contract, DataType, Field, Prediction
from pilotbase.documents.exchanges import Exchange, Handled, Sending
from pilotbase.documents.limits import EndReason
from pilotbase.documents.vocabularies import Outcome
from pilotbase.protocols.contract_cases import CaseReader
from pilotbase.protocols.frames import AnswerBatch, FeatureBatch
from pilotbase.sandbox.box.ends import BoxEnd, BoxEnded
from pilotbase.trial.probes.exchanges import (
    exchange_figures,
    exchanged,
    form_findings,
    is_kept,
    pipeline_findings,
)
from pilotbase.trial.recorded_exchanges.replaying import (
    MOST_IN_A_ROW,
    RecordedExchange,
    replay_exchange,
    stop_while_asked,
)

FEATURES = (Field(name="a", dataType=DataType.FLOAT, maximum=100), Field(name="b", dataType=DataType.FLOAT))
LABELS = Contract(features=FEATURES, prediction=Prediction(kind="label", classes=("high", "low")))
VALUES = Contract(features=FEATURES, prediction=Prediction(kind="value"))
ALL = {"late": 0.1, "reordered": 0.1, "duplicated": 0.1, "missing": 0.2, "malformed": 0.1}
BODIES = tuple(
    json.dumps({"id": f"m{number}", "at": f"2027-01-01T00:00:{number:02d}Z", "a": number, "b": 1}).encode()
    for number in range(40)
)


def label(batch):
    return np.array([0 if a > 20 else 1 for a in batch.columns["a"]], dtype=np.int32)


class Worker:
    """Answers as ``act`` says, until it is cancelled or ``act`` raises."""

    def __init__(self, act, asked, stops=True):
        self.act, self.asked, self.stops, self.gone = act, asked, stops, False

    def predict(self, batch):
        if self.gone:
            raise BoxEnded(BoxEnd(EndReason.CANCELLED, 0, ""))
        self.asked.append(batch)
        try:
            return AnswerBatch(self.act(batch))
        except ZeroDivisionError:
            self.gone = True
            raise BoxEnded(BoxEnd(EndReason.APPLICATION_ERROR, 1, "")) from None

    def cancel(self):
        self.gone = self.stops

    def close(self):
        self.gone = True


def exchange(**changed):
    settled = {"name": "one", "form": "rest", "file": "f", "identifier": "/id", "time": "/at", "faults": ALL}
    return Exchange.model_validate({**settled, "fields": {"a": "/a", "b": "/b"}, **changed})


def replayed(act=label, contract=LABELS, may_miss=(), answers=None, **changed):
    """Return what became of the messages, what was asked and how often it was started."""
    asked, starts = [], []

    def start():
        starts.append(1)
        return Worker(act, asked)

    plain = answers or tuple("high" if number > 20 else "low" for number in range(40))
    reader = CaseReader(contract, frozenset(may_miss))
    return replay_exchange(start, RecordedExchange(exchange(**changed), BODIES, plain), reader), asked, len(starts)


def lost(run):
    return {one.sending for one in run.outcomes if not is_kept(run, one)}


def of(run, sending):
    return [one for one in run.outcomes if one.sending is sending]


def test_everything_is_handled_as_it_must_be():
    run, _, starts = replayed()
    assert lost(run) == set() and starts == 1 and run.restarts == 0
    assert {one.handled for one in of(run, Sending.MALFORMED)} == {Handled.REFUSED}
    assert {one.handled for one in of(run, Sending.MISSING)} == {Handled.REFUSED}, "the contract allows none missing"
    assert all(one.reason is not None for one in run.outcomes if one.handled is Handled.REFUSED)
    assert any(one.behind for one in of(run, Sending.LATE)) and of(run, Sending.OVERRIDDEN)[0].expected is not None
    assert exchanged([run]).whole == (len(of(run, Sending.WHOLE)),) * 2 and exchanged([run]).stop_seconds < 30


def test_what_is_refused_or_repeated_is_never_asked():
    run, asked, _ = replayed(overridden=0)
    answered = [one for one in run.outcomes if one.handled is Handled.ANSWERED]
    assert [int(batch.columns["a"][0]) for batch in asked[: len(answered)]] == [one.place for one in answered]
    twice = of(run, Sending.DUPLICATED)
    assert {one.handled for one in twice} == {Handled.ANSWERED, Handled.REPEATED}
    assert {one.answer for one in twice if one.place == twice[0].place} == {twice[0].answer}


def test_a_missing_field_is_a_missing_value_where_the_contract_allows_it():
    run, asked, _ = replayed(may_miss=("b",))
    handled = {one.handled for one in of(run, Sending.MISSING)}
    assert handled == {Handled.ANSWERED, Handled.REFUSED} and lost(run) == set()
    assert any(np.isnan(batch.columns["b"][0]) for batch in asked)


def test_an_application_that_fails_on_missing_values_loses_these_and_nothing_after():
    def act(batch):
        return label(batch) if not np.isnan(batch.columns["b"]).any() else 1 // 0

    run, *_ = replayed(act, may_miss=("b",))
    gone = [one for one in of(run, Sending.MISSING) if one.handled is Handled.LOST]
    assert lost(run) == {Sending.MISSING} and len(gone) > MOST_IN_A_ROW and run.restarts >= len(gone) - 1
    told = {finding.check: finding for finding in pipeline_findings([exchange_figures(run)])}
    assert told["pipeline: one: missing"].outcome is Outcome.FAIL
    assert "raised an error" in told["pipeline: one: missing"].sentence.render("en")
    assert form_findings([exchange_figures(run)])[0].outcome is Outcome.PASS


def test_one_that_ends_over_and_over_is_not_started_for_ever():
    run, _, starts = replayed(lambda batch: 1 // 0)
    assert starts == MOST_IN_A_ROW + 1, "once more to be stopped"
    assert {one.handled for one in of(run, Sending.WHOLE)} == {Handled.LOST}
    assert {one.handled for one in of(run, Sending.OVERRIDDEN)} == {Handled.OVERRIDDEN}, "a person needs no application"
    assert {one.handled for one in of(run, Sending.MALFORMED)} == {Handled.REFUSED}
    assert exchanged([run]).whole[0] == 0


def test_one_that_answers_by_what_came_before_gives_other_answers():
    turn = itertools.count()
    run, *_ = replayed(lambda batch: np.array([next(turn) % 2], dtype=np.int32))
    assert Sending.WHOLE in lost(run)
    said = exchange_figures(run).sendings[0].why.render("en")
    assert "got a different answer than its case" in said


def test_what_a_person_decides_goes_out_and_is_never_the_applications_answer():
    run, *_ = replayed(overridden=5)
    decided = of(run, Sending.OVERRIDDEN)
    assert len(decided) == 5 and {one.handled for one in decided} == {Handled.OVERRIDDEN}
    assert all(one.answer == ("low" if one.place > 20 else "high") for one in decided)


def test_numbers_may_lie_apart_by_the_tolerance():
    plain = tuple(str(float(number)) for number in range(40))
    near, *_ = replayed(lambda batch: batch.columns["a"] + 1e-7, VALUES, answers=plain)
    far, *_ = replayed(lambda batch: batch.columns["a"] + 1e-3, VALUES, answers=plain)
    wide, *_ = replayed(lambda batch: batch.columns["a"] + 1e-3, VALUES, answers=plain, tolerance=0.01)
    assert lost(near) == lost(wide) == set()
    assert {Sending.WHOLE, Sending.LATE, Sending.DUPLICATED} <= lost(far)
    silent, *_ = replayed(lambda batch: np.full(1, np.nan), VALUES, answers=plain)
    assert Sending.WHOLE in lost(silent), "an abstention is no answer that is near"


BATCH = FeatureBatch({"a": np.zeros(1), "b": np.zeros(1)}, 1)


def test_an_order_ends_what_is_being_asked():
    asked = []
    stopped = stop_while_asked(Worker(label, asked), BATCH, 5)
    assert stopped.seconds is not None and stopped.seconds < 1 and asked


def test_one_that_ends_by_itself_was_not_stopped():
    assert stop_while_asked(Worker(lambda batch: 1 // 0, []), BATCH, 5) is None


def test_one_that_never_stops_is_told():
    clock = itertools.count(step=0.5)
    stopped = stop_while_asked(Worker(label, [], stops=False), BATCH, 5, lambda: float(next(clock)))
    assert stopped.seconds is None and stopped.answers > 0
    run, *_ = replayed()
    told = exchange_figures(run.model_copy(update={"stopped": stopped}))
    finding = pipeline_findings([told])[-1]
    assert finding.outcome is Outcome.FAIL and not told.stop_holds
    assert exchanged([run.model_copy(update={"stopped": stopped})]).stop_seconds == float("inf")


def test_one_that_stops_too_late_fails_and_one_that_never_started_is_not_measured():
    run, *_ = replayed()
    late = run.model_copy(update={"stopped": run.stopped.model_copy(update={"seconds": 7.0})})
    assert pipeline_findings([exchange_figures(late)])[-1].outcome is Outcome.FAIL
    never = run.model_copy(update={"stopped": None})
    assert pipeline_findings([exchange_figures(never)])[-1].outcome is Outcome.NOT_MEASURED
    assert exchanged([never]).stop_seconds is None


def test_one_that_never_answers_ends_too():
    hangs = threading.Event()

    class Hanging(Worker):
        def predict(self, batch):
            hangs.wait(20)
            raise BoxEnded(BoxEnd(EndReason.CANCELLED, 0, ""))

        def cancel(self):
            hangs.set()

    stopped = stop_while_asked(Hanging(label, []), BATCH, 5, patience=0.01)
    assert stopped.seconds is not None and stopped.answers == 0
