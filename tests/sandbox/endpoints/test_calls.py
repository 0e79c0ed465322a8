"""The record of calls: append-only, chained, whole after a crash, and nothing of it can be altered unseen."""

import threading

import pytest

from pilotbase.documents.errors import InvalidProofError
from pilotbase.sandbox.endpoints.calls import Call, CallLog, read_calls

DIGEST = "sha256:" + "0" * 64


def call(number: int, **more) -> Call:
    known = {"attempt": 1, "began": 0.5, "cases": 3, "request": DIGEST, "seconds": 0.25, "final": True}
    return Call(number=number, **{**known, **more})


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "calls"
    with CallLog(path, b"plan", b"key") as log:
        for number in range(5):
            log.append(call(number, prompt_tokens=10, completion_tokens=1, served="m"))
        digest = log.digest
    return path, digest


def test_calls_come_back_as_they_were_and_totals_go_on_after_a_crash(written):
    path, digest = written
    assert [one.number for one in read_calls(path, b"plan", digest, b"key")] == [0, 1, 2, 3, 4]
    with CallLog(path, b"plan", b"key") as log:
        assert log.digest == digest
        assert (log.total.calls, log.total.cases, log.total.prompt_tokens, list(log.total.served)) == (5, 15, 50, ["m"])


@pytest.mark.parametrize("torn", [1, 40, 120])
def test_a_torn_last_line_is_dropped_and_the_chain_goes_on(written, torn):
    path, _ = written
    path.write_bytes(path.read_bytes()[:-torn])
    with CallLog(path, b"plan", b"key") as log:
        assert log.total.calls == 4
        log.append(call(4))
        digest = log.digest
    assert len(read_calls(path, b"plan", digest, b"key")) == 5


@pytest.mark.parametrize(
    "alter",
    [
        lambda content: content.replace(b'"cases":3', b'"cases":4', 1),
        lambda content: b"".join(content.splitlines(keepends=True)[1:]),
        lambda content: b"".join(content.splitlines(keepends=True)[:-1]),
        lambda content: b"".join(reversed(content.splitlines(keepends=True))),
        lambda content: b"",
    ],
    ids=["altered", "first_gone", "last_gone", "reordered", "emptied"],
)
def test_what_was_altered_is_found(written, alter):
    path, digest = written
    path.write_bytes(alter(path.read_bytes()))
    with pytest.raises(InvalidProofError):
        read_calls(path, b"plan", digest, b"key")


@pytest.mark.parametrize(("commitment", "key"), [(b"other", b"key"), (b"plan", b"other")])
def test_a_chain_belongs_to_one_run_and_to_holders_of_its_key(written, commitment, key):
    with pytest.raises(InvalidProofError):
        read_calls(written[0], commitment, written[1], key)


def test_threads_write_whole_lines(tmp_path):
    with CallLog(tmp_path / "calls", b"plan") as log:
        threads = [threading.Thread(target=lambda: [log.append(call(0)) for _ in range(50)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        digest = log.digest
    assert len(read_calls(tmp_path / "calls", b"plan", digest)) == 200
