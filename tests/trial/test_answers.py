import resource
import signal
import subprocess
import sys

import numpy as np
import pytest

from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.limits import EndReason
from pilotbase.protocols.frames import AnswerBatch
from pilotbase.trial import answering
from pilotbase.trial.answering import AnswerLog, read_answers
from pilotbase.trial.delivering import in_file_order


def fill(path, batches=5, rows=7):
    with AnswerLog(path, b"plan") as log:
        for number in range(batches):
            log.append(np.arange(rows, dtype="<i4") + number, 0.001 * number)
        return log.digest


def test_answers_come_back_with_their_latencies(tmp_path):
    expected = fill(tmp_path / "answers")
    batches = read_answers(tmp_path / "answers", b"plan", expected)
    assert [batch.seconds for batch in batches] == [0.0, 0.001, 0.002, 0.003, 0.004]
    assert batches[3].values.tolist() == [3, 4, 5, 6, 7, 8, 9]


def test_reopening_continues_the_same_chain(tmp_path):
    whole = fill(tmp_path / "whole", batches=5)
    fill(tmp_path / "resumed", batches=2)
    with AnswerLog(tmp_path / "resumed", b"plan") as log:
        assert log.answered == 14
        for number in range(2, 5):
            log.append(np.arange(7, dtype="<i4") + number, 0.001 * number)
        assert log.digest == whole


@pytest.mark.parametrize("cut", [1, 31, 33, 60, 101])
def test_a_torn_last_record_is_dropped_and_asked_again(tmp_path, cut):
    path = tmp_path / "answers"
    whole = fill(path, batches=3)
    data = path.read_bytes()
    path.write_bytes(data[:-cut])
    with AnswerLog(path, b"plan") as log:
        assert len(log.batches) == (2 if cut <= 100 else 1)
        for number in range(len(log.batches), 3):
            log.append(np.arange(7, dtype="<i4") + number, 0.001 * number)
        assert log.digest == whole
    assert path.read_bytes() == data


@pytest.mark.parametrize("position", [0, 9, 41, 80, 150])
def test_one_altered_byte_is_noticed(tmp_path, position):
    path = tmp_path / "answers"
    expected = fill(path)
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)
    with pytest.raises(InvalidProofError):
        read_answers(path, b"plan", expected)


def test_answers_of_one_plan_do_not_pass_for_another(tmp_path):
    expected = fill(tmp_path / "answers")
    with pytest.raises(InvalidProofError):
        read_answers(tmp_path / "answers", b"other plan", expected)


def test_kill_at_any_moment_leaves_a_valid_prefix(tmp_path):
    program = (
        "import sys, numpy as np; from pathlib import Path; from pilotbase.trial.answering import AnswerLog\n"
        "log = AnswerLog(Path(sys.argv[1]), b'plan')\n"
        "while True:\n"
        "    log.append(np.full(1000, len(log.batches), dtype='<i4'), 0.5)\n"
        "    print(len(log.batches), flush=True)\n"
    )
    path = tmp_path / "answers"
    for kill_after in (1, 3, 10):
        process = subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True)
        said = 0
        for _ in range(kill_after):
            said = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        process.wait()
        with AnswerLog(path, b"plan") as log:
            assert len(log.batches) >= said
            assert all((batch.values == batch.sequence).all() for batch in log.batches)


def test_a_full_disk_leaves_the_log_as_it_was(tmp_path):
    path = tmp_path / "answers"
    with AnswerLog(path, b"plan") as log:
        log.append(np.zeros(100), 0.1)
        before, size = log.digest, path.stat().st_size
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 50, hard))
        try:
            with pytest.raises(OSError, match=r"."):
                log.append(np.zeros(100), 0.1)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert (log.digest, path.stat().st_size) == (before, size)
        log.append(np.zeros(100), 0.1)
        assert len(log.batches) == 2


def test_answers_that_fill_any_memory_end_the_run(tmp_path, monkeypatch):
    """Each may be 64 KiB, and hidden cases may be any number; a resumed run ends where it did."""

    class Talking:
        asked = 0

        def predict(self, batch, following=None):
            self.asked += 1
            return AnswerBatch(np.array(["a" * 1000] * batch.rows, dtype=object))

    monkeypatch.setattr(answering, "MOST_BYTES", 5000)
    worker, features = Talking(), {"x": np.arange(40.0)}
    for _ in range(2):
        with AnswerLog(tmp_path / "answers", b"plan") as log:
            end = answering.answer_cases(worker, in_file_order(features, 2), log)
            assert (end.reason, log.answered, worker.asked) == (EndReason.OVERSIZED_ANSWER, 6, 3)
    monkeypatch.setattr(answering, "MOST_BYTES", 1 << 20)
    with AnswerLog(tmp_path / "other", b"plan") as log:
        assert answering.answer_cases(worker, in_file_order(features, 2), log) == answering.BoxEnd()
