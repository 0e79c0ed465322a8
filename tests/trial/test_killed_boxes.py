"""A box that somebody kills in the middle of a trial costs time: no verdict, no attempt, and no blame."""

import contextlib
import os
import signal
from pathlib import Path

import pytest

from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.limits import EndReason
from pilotbase.documents.vocabularies import Verdict
from pilotbase.sandbox.box.supervisor import descendants
from pilotbase.trial.running import MOST_LOSSES
from pilotbase.vault.attempts import AttemptState, attempts_of
from pilotbase.worker.trials.proving import freeze_in, prove
from tests.trial.conftest import GOOD
from tests.trial.test_proving import hidden_set


class Killer:
    """Kills the box that answers hidden cases, ``times`` times.

    Each time two batches after the last one: the first may have been under way, only the second is another box's.
    """

    def __init__(self, times: int) -> None:
        self.left, self.next = times, 1
        self.others = set(bubblewraps())  # of gateways that other tests of this process keep

    def __call__(self, progress) -> None:
        answering = progress.stage.code == "trial.progress.answer"
        if answering and self.left and progress.done >= self.next and (found := self.boxes()):
            self.left, self.next = self.left - 1, progress.done + 2 * BATCH
            os.kill(found[0], signal.SIGKILL)

    def boxes(self) -> list[int]:
        return [pid for pid in bubblewraps() if pid not in self.others]


def bubblewraps() -> list[int]:
    """Return the processes of bubblewrap beneath this one, the outer one of a box before the inner one."""
    found = []
    for pid in descendants(os.getpid())[1:]:
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/comm").read_text() == "bwrap\n":
                found.append(pid)
    return sorted(found)


BATCH = 20
SLOW = "import time\ndef predict(batch):\n    time.sleep(0.2)\n" + GOOD.split("\n", 1)[1]


def test_the_attempt_goes_on_and_the_verdict_is_the_same(base, write_scenario, write_application):
    scenario, application = write_scenario(), write_application(SLOW)
    freeze_in(base, scenario, application)
    killer = Killer(2)
    report = prove(base, scenario, application, on_progress=killer).report
    assert killer.left == 0
    assert (report.verdict, report.isolation.end) == (Verdict.ACCEPT, EndReason.FINISHED)
    assert (report.attempt.number, report.attempt.answered) == (1, 100)


@pytest.mark.prove
def test_who_kills_without_end_is_told_and_the_attempt_waits(base, write_scenario, write_application):
    scenario, application = write_scenario(cases=200), write_application(SLOW)
    freeze_in(base, scenario, application)
    with pytest.raises(PilotbaseError) as lost:
        prove(base, scenario, application, on_progress=Killer(MOST_LOSSES + 1))
    assert lost.value.code == "box.killed"
    (attempt,) = attempts_of(base.lab.vault, hidden_set(base, scenario))
    assert attempt.state is not AttemptState.CLOSED
    report = prove(base, scenario, application).report
    assert (report.verdict, report.attempt.number) == (Verdict.ACCEPT, 1)
