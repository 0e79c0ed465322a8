"""A file that is fetched from a hub comes in parts; cut off, it is gone on with where it was."""

from functools import partial

import pytest

from pilotbase.cli.data_files import write_parts
from pilotbase.documents.errors import RefusedError
from pilotbase.operations.datasets import FileFor
from pilotbase.protocols import hub_requests
from pilotbase.protocols.guarded_http import GuardedResponse, NoAnswerError
from pilotbase.protocols.hub_requests import HubRequests

CONTENT = bytes(range(250))
PLACE = "/api/datasets/plant/logs/files/logs.csv"


class Hub:
    """Gives parts of a file as a hub does; ``fails`` after so many parts."""

    def __init__(self, content: bytes, tag: str = '"one"', fails: Exception | None = None, after: int = 2) -> None:
        self.content, self.tag, self.fails, self.after = content, tag, fails, after
        self.asked: list[str] = []

    def send(self, request):
        assert PLACE in request.url
        if self.fails is not None and len(self.asked) == self.after:
            raise self.fails
        self.asked.append(request.headers["Range"])
        first, last = map(int, request.headers["Range"].removeprefix("bytes=").split("-"))
        if request.headers.get("If-Range", self.tag) != self.tag:
            return GuardedResponse(200, self.content, {"etag": self.tag, "content-length": str(len(self.content))})
        part = self.content[first : last + 1]
        told = {"content-range": f"bytes {first}-{first + len(part) - 1}/{len(self.content)}", "etag": self.tag}
        return GuardedResponse(206, part, {**told, "content-length": str(len(part))})


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(hub_requests, "PART", 100)


def fetch(hub, target):
    requests = HubRequests("https://hub.example", "pilot_x", http=hub, sleep=lambda seconds: None)
    write_parts(target, partial(hub_requests.parts_of, requests, FileFor(owner="plant", name="logs", file="logs.csv")))


def test_what_an_outage_cuts_off_is_gone_on_with(tmp_path):
    target, lost = tmp_path / "logs.csv", NoAnswerError("protocol.unreachable", host="hub.example")
    with pytest.raises(NoAnswerError):
        fetch(Hub(CONTENT, fails=lost), target)
    assert not target.exists(), "half a file is not there under its name"
    hub = Hub(CONTENT)
    fetch(hub, target)
    assert target.read_bytes() == CONTENT
    assert hub.asked == ["bytes=199-298"], "what was there is not asked for again, but its last byte"
    assert [one.name for one in tmp_path.iterdir()] == ["logs.csv"]


def test_other_bytes_than_were_begun_are_fetched_anew(tmp_path):
    target = tmp_path / "logs.csv"
    with pytest.raises(NoAnswerError):
        fetch(Hub(CONTENT, fails=NoAnswerError("protocol.unreachable", host="hub.example")), target)
    fetch(Hub(b"other", tag='"two"'), target)
    assert target.read_bytes() == b"other"


def test_what_a_refusal_cuts_off_leaves_nothing_behind(tmp_path):
    with pytest.raises(RefusedError):
        fetch(Hub(CONTENT, fails=RefusedError("terms.refused", dataset="dataset:plant/logs")), tmp_path / "logs.csv")
    assert list(tmp_path.iterdir()) == []
