"""Attacks through the answer pipe: what comes out of a box is checked on our side of the wall, byte by byte."""

from __future__ import annotations

import json
import pickle
import struct
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from pilotbase.documents.contract import Contract, Field, Prediction
from pilotbase.documents.limits import EndReason, Limits
from pilotbase.protocols.frames import HEADER, MAGIC, FeatureBatch, FrameKind, encode_batch
from pilotbase.sandbox.box.ends import BoxEnded
from pilotbase.sandbox.box.settings import BoxSettings, LogPolicy
from pilotbase.sandbox.box.warm_worker import WarmWorker

ROWS = 3
SETTINGS = BoxSettings(limits=Limits(batch_seconds=5, load_seconds=10), logs=LogPolicy.WITHHELD)
CONTRACT = Contract(features=(Field(name="x", dataType="sc:Float"),), prediction=Prediction(kind="probability"))
WRITE = """
import os, sys
def predict(batch):
    os.write(int(sys.argv[2]), bytes.fromhex({frame!r}))
    return [0.5] * batch.rows
"""


class Touch:
    """What a pickle can do to a host that trusts it."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return eval, ("'the host ran this'",)


def frame(
    kind: int = FrameKind.ANSWER, sequence: int = 1, rows: int = ROWS, length: int | None = None, body: bytes = b""
) -> bytes:
    return HEADER.pack(MAGIC, kind, sequence, rows, len(body) if length is None else length) + body


def floats(*values: float) -> bytes:
    return struct.pack(f"<{len(values)}d", *values)


def report(reason: str) -> bytes:
    return frame(FrameKind.ERROR, body=json.dumps({"reason": reason, "message": ""}).encode())


FORGED = {
    "a-billion-rows": (frame(rows=10**9, length=8 * 10**9), EndReason.OVERSIZED_ANSWER),
    "more-bytes-than-rows": (frame(length=2**60), EndReason.OVERSIZED_ANSWER),
    "fewer-rows": (frame(rows=2, body=floats(0.5, 0.5)), EndReason.WRONG_COUNT),
    "no-rows": (frame(rows=0), EndReason.WRONG_COUNT),
    "fewer-bytes-than-rows": (frame(body=floats(0.5)), EndReason.BROKEN_PROTOCOL),
    "answers-to-another-batch": (frame(sequence=2, body=floats(0, 0, 0)), EndReason.BROKEN_PROTOCOL),
    "a-pickle": (pickle.dumps(Touch()), EndReason.BROKEN_PROTOCOL),
    "a-pickle-as-answers": (frame(body=pickle.dumps(Touch())), EndReason.OVERSIZED_ANSWER),
    "wrong-magic": (b"PBX9" + frame(body=floats(0, 0, 0))[4:], EndReason.BROKEN_PROTOCOL),
    "unknown-kind": (frame(kind=99, body=floats(0, 0, 0)), EndReason.BROKEN_PROTOCOL),
    "a-second-greeting": (frame(kind=FrameKind.READY), EndReason.BROKEN_PROTOCOL),
    "smuggled-padding": (frame(body=floats(0, 0, 0))[:5] + b"abc" + frame()[8:], EndReason.BROKEN_PROTOCOL),
    "words": (b"accept accept accept accept", EndReason.BROKEN_PROTOCOL),
    "probability-above-one": (frame(body=floats(0, 1.0000001, 0)), EndReason.OUT_OF_RANGE),
    "negative-probability": (frame(body=floats(0, -1e-9, 0)), EndReason.OUT_OF_RANGE),
    "infinity": (frame(body=floats(0, float("inf"), 0)), EndReason.OUT_OF_RANGE),
    "an-error-that-is-no-json": (frame(FrameKind.ERROR, body=b"\xff\xfe{{{"), EndReason.BROKEN_PROTOCOL),
    "an-error-that-is-no-object": (frame(FrameKind.ERROR, body=b"[1]"), EndReason.BROKEN_PROTOCOL),
    "a-deeply-nested-error": (frame(FrameKind.ERROR, body=b"[" * 60_000), EndReason.BROKEN_PROTOCOL),
    "an-endless-error": (frame(FrameKind.ERROR, length=2**40), EndReason.BROKEN_PROTOCOL),
    "claims-it-finished": (report("finished"), EndReason.BROKEN_PROTOCOL),
    "claims-it-was-cancelled": (report("cancelled"), EndReason.BROKEN_PROTOCOL),
}


@pytest.mark.one_in(3)
@pytest.mark.parametrize(("forged", "reason"), FORGED.values(), ids=FORGED)
def test_forged_answers(start, forged, reason):
    source = WRITE.format(frame=forged.hex())
    with start(source, SETTINGS) as worker:
        assert naive_host_takes(worker, len(forged)) == forged, "without the checks these bytes are what a host reads"
    with start(source, SETTINGS) as worker, pytest.raises(BoxEnded) as ended:
        worker.predict(batch())
    assert ended.value.reason is reason


def naive_host_takes(worker: WarmWorker, size: int) -> bytes:
    channel, deadline = worker._box.channel, time.monotonic() + 60
    channel.send(encode_batch(batch(), CONTRACT, 1), deadline)
    return bytes(channel.receive(size, deadline))


def batch() -> FeatureBatch:
    return FeatureBatch({"x": np.zeros(ROWS)}, ROWS)


def test_a_naive_host_would_run_a_pickle():
    assert pickle.loads(FORGED["a-pickle"][0]) == "the host ran this"


def test_not_a_number_is_an_abstention_and_nothing_else(start):
    with start(WRITE.format(frame=frame(body=floats(0.25, float("nan"), 1)).hex()), SETTINGS) as worker:
        np.testing.assert_array_equal(worker.predict(batch()).values, [0.25, np.nan, 1])


def test_answering_twice(start):
    with start(WRITE.format(frame=frame(body=floats(0, 0, 0)).hex()), SETTINGS) as worker:
        worker.predict(batch())
        with pytest.raises(BoxEnded) as ended:
            worker.predict(batch())
    assert ended.value.reason is EndReason.BROKEN_PROTOCOL


def test_answering_the_next_batch_in_advance(start):
    ahead = frame(body=floats(0, 0, 0)) + frame(sequence=2, body=floats(1, 1, 1))
    with start(WRITE.format(frame=ahead.hex()), SETTINGS) as worker:
        worker.predict(batch())
        with pytest.raises(BoxEnded) as ended:
            worker.predict(batch())
    assert ended.value.reason is EndReason.BROKEN_PROTOCOL


def test_answering_before_it_is_asked(start):
    source = "import os, sys\nos.write(int(sys.argv[2]), bytes.fromhex({!r}))\ndef predict(batch): return []"
    with pytest.raises(BoxEnded) as ended:
        start(source.format(frame(body=floats(0, 0, 0)).hex()), SETTINGS)
    assert ended.value.reason is EndReason.BROKEN_PROTOCOL


def test_half_an_answer(start):
    source = """
    import os, sys, time
    def predict(batch):
        os.write(int(sys.argv[2]), bytes.fromhex({!r}))
        time.sleep(60)
    """
    quick = replace(SETTINGS, limits=Limits(batch_seconds=0.3))
    with start(source.format(frame(length=24).hex()), quick) as worker, pytest.raises(BoxEnded) as ended:
        worker.predict(batch())
    assert ended.value.reason is EndReason.BATCH_TIMEOUT


def test_closing_the_pipe(start):
    source = "import os, sys\ndef predict(batch):\n    os.close(int(sys.argv[2]))\n    os._exit(0)"
    with start(source, SETTINGS) as worker, pytest.raises(BoxEnded) as ended:
        worker.predict(batch())
    assert ended.value.reason is EndReason.APPLICATION_EXIT


RETURNED = {
    "one-too-few": ("[0.5] * (batch.rows - 1)", EndReason.WRONG_COUNT),
    "one-too-many": ("[0.5] * (batch.rows + 1)", EndReason.WRONG_COUNT),
    "nothing": ("None", EndReason.WRONG_TYPE),
    "a-number": ("0.5", EndReason.WRONG_TYPE),
    "words": ("'yes'", EndReason.WRONG_TYPE),
    "a-pickle": ("__import__('pickle').dumps([0.5] * batch.rows)", EndReason.WRONG_TYPE),
    "by-key": ("{row: 0.5 for row in range(batch.rows)}", EndReason.WRONG_TYPE),
    "lists": ("[[0.5, 0.5]] * batch.rows", EndReason.WRONG_TYPE),
    "texts": ("['0.5'] * batch.rows", EndReason.WRONG_TYPE),
    "too-likely": ("[1.5] * batch.rows", EndReason.OUT_OF_RANGE),
}


@pytest.mark.parametrize(("expression", "reason"), RETURNED.values(), ids=RETURNED)
def test_wrong_predictions(start, expression, reason):
    with start(f"def predict(batch):\n    return {expression}", SETTINGS) as worker, pytest.raises(BoxEnded) as ended:
        worker.predict(batch())
    assert ended.value.reason is reason


def ends(start: Callable[[str, BoxSettings], WarmWorker], source: str, policy: LogPolicy) -> tuple[str, object]:
    """Everything that the host lets out about an application that fails."""
    settings = replace(SETTINGS, logs=policy)
    with start(source, settings) as worker, pytest.raises(BoxEnded) as ended:
        worker.predict(batch())
    return ended.value.render("en") + str(ended.value.end), worker.logs()


def test_smuggling_through_the_exit_code(start):
    source = "import os\ndef predict(batch):\n    os._exit({})"
    codes = []
    for code in (7, 42):
        with start(source.format(code), SETTINGS) as worker:
            worker._box.channel.send(encode_batch(batch(), CONTRACT, 1), time.monotonic() + 5)
            worker._box.supervisor.join(10)
            codes.append(worker._box.supervisor._process.returncode)
    assert codes == [7, 42], "the code does reach our side"
    assert ends(start, source.format(7), LogPolicy.FULL) == ends(start, source.format(42), LogPolicy.FULL)


def test_smuggling_through_the_log_and_the_traceback(start):
    source = """
    import sys
    def predict(batch):
        print("hidden features:", list(batch["x"]) * {times}, flush=True)
        raise ValueError("hidden features", list(batch["x"]))
    """
    said, logs = ends(start, source.format(times=1), LogPolicy.FULL)
    assert "hidden features" in said and "hidden features" in logs.text
    said, logs = ends(start, source.format(times=1), LogPolicy.WITHHELD)
    assert "hidden" not in said and logs.text == "" and logs.withheld
    _, other = ends(start, source.format(times=2), LogPolicy.WITHHELD)
    assert other == logs, "not even the exact length comes out"
