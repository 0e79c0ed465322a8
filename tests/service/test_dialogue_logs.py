"""Logs of dialogues: whole lines only, one holder, so large and no larger, and so long and no longer."""

from datetime import UTC, datetime, timedelta

import pytest

from pilotbase.service import dialogue_logs
from pilotbase.service.dialogue_logs import DialogueLogs

NOW = datetime(2026, 12, 1, tzinfo=UTC)
HEAD = {
    "service": "clerk",
    "key": "k",
    "task": "t",
    "language": "en",
    "route": {"application": {"digest": "sha256:1"}},
    "idle_seconds": 60,
    "asked": "1",
}


class Clock:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def logs(tmp_path, clock):
    return DialogueLogs(tmp_path, clock)


def overdue(logs):
    late = list(logs.overdue())
    for log in late:
        log.close()
    return sorted(log.state.identity for log in late)


def found(logs):
    return logs.find("clerk", lambda state: True)


def test_what_is_written_is_played_again_in_its_order(logs):
    log = logs.begin(identity="d", **HEAD)
    log.add(agent="[]")
    log.add(expects="2")
    log.add(heard="ÿ你好\ud800", asked="3", message="m")
    assert found(logs) is None, "it is held"
    log.close()
    again = found(logs)
    assert (again.state.followed, again.state.asked, again.state.expects, again.state.message) == ("2", "3", "", "m")
    assert again.again("agent")["agent"] == "[]"
    with pytest.raises(ValueError, match="does not fit"):
        again.again("decided")
    assert again.again("heard") is None


@pytest.mark.parametrize("torn", [b"00000000 {}\n", b'deadbeef {"agent"', b"\xff\n"])
def test_a_torn_or_damaged_line_ends_the_log_and_is_written_over(logs, tmp_path, torn):
    log = logs.begin(identity="d", **HEAD)
    log.add(agent="first")
    log.close()
    (path,) = (tmp_path / "clerk").glob("*")
    with path.open("ab") as stream:
        stream.write(torn)
    again = found(logs)
    again.add(agent="second")
    again.close()
    last = found(logs)
    assert [last.again("agent")["agent"] for _ in range(2)] == ["first", "second"]


def test_a_dialogue_that_grows_too_long_has_no_log_any_more(logs, monkeypatch):
    monkeypatch.setattr(dialogue_logs, "MOST_BYTES", 1000)
    log = logs.begin(identity="d", **HEAD)
    log.add(agent="x" * 2000)
    log.add(agent="y")
    log.close()
    assert found(logs) is None


def test_logs_are_kept_for_the_idle_time_and_of_ended_dialogues_the_newest(logs, clock, monkeypatch):
    monkeypatch.setattr(dialogue_logs, "MOST_ENDED", 2)
    for number in range(5):
        clock.now += timedelta(seconds=1)
        log = logs.begin(identity=f"d{number}", **HEAD)
        if number:
            log.add(over=True)
        log.close()
    assert overdue(logs) == ["d1", "d2"]
    clock.now = NOW + timedelta(seconds=62)
    assert overdue(logs) == ["d0", "d1", "d2"]
    for log in logs.overdue():
        log.forget()
    assert {log.state.identity for log in iter(lambda: found(logs), None)} == {"d3", "d4"}
