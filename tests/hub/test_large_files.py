"""Large files: the limit is said before, a form never fails on one, and a browser sends what is larger in pieces."""

import hashlib
import http.client
import json
import os

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from pilotbase.hub import configuration
from tests.hub.live_for_tests import listening, token_of
from tests.hub.test_browser import CHROMIUM, Visit, browser

__all__ = ["browser"]
MIB = 1 << 20
PIECE, FORM = 4 * MIB, 20 * MIB
FORMS = ("/scenarios/new/", "/applications/new/")


@pytest.mark.parametrize(("who", "path", "field"), [("owner", FORMS[0], "cases"), ("supplier", FORMS[1], "folder")])
def test_the_limit_is_said_before_and_a_larger_file_is_refused_in_words(one_world, settings_of_hub, who, path, field):
    settings_of_hub(upload_bytes=MIB)
    client = one_world.client(who)
    before = client.get(path).content.decode()
    assert "Maximum size: 1 MiB" in before
    assert "POST /api/uploads" in before.partition("<noscript>")[2], "without script there is the API"
    chinese = client.get(path, HTTP_ACCEPT_LANGUAGE="zh-hans").content.decode()
    assert "不超过 1 MiB" in chinese
    name = "cases.csv" if field == "cases" else "application.zip"
    answer = client.post(path, {field: SimpleUploadedFile(name, bytes(MIB + 1))})
    assert answer.status_code == 200
    assert "The file is larger than 1 MiB." in answer.content.decode()


@pytest.fixture(scope="module")
def address(one_world):
    """A hub whose forms carry 20 MiB at once."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(configuration, "_FORM_BYTES", FORM)
        with listening(one_world) as address:
            yield address


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A table of 26 MiB: above what a form carries."""
    path = tmp_path_factory.mktemp("large") / "large.csv"
    line = ("1.5,2.5,fine," + "x" * 1000 + "\n").encode()
    path.write_bytes(b"torque,speed,failure,note\n" + line * (26 * MIB // len(line) + 1))
    assert path.stat().st_size > 26 * MIB
    yield path
    path.unlink()


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: the hub was not opened")
@pytest.mark.prove
def test_a_browser_sends_a_large_table_in_pieces_and_goes_on_after_an_interruption(browser, address, table):
    pieces = -(-table.stat().st_size // PIECE)
    first = Visit(browser, address, "owner", script=True).go("/scenarios/new/")
    sent = []

    def five_then_none(route):
        sent.append(route.request.url)
        return route.continue_() if len(sent) <= 5 else None  # the sixth hangs, as over a lost connection

    first.page.route("**/pieces/*", five_then_none)
    first.page.set_input_files("#id_cases", table)
    first.page.click("main form button")
    for _ in range(600):
        if len(sent) == 6:
            break
        first.page.wait_for_timeout(200)
    assert len(sent) == 6
    assert "Sending the file in pieces" in first.page.inner_text("[data-progress]")
    first.close()

    again = Visit(browser, address, "owner", script=True).go("/scenarios/new/")
    resumed, lost = [], []

    def one_is_lost(route):
        resumed.append(route.request.url)
        if len(resumed) == 2 and not lost:
            lost.append(route.request.url)
            return route.abort()
        return route.continue_()

    again.page.route("**/pieces/*", one_is_lost)
    again.page.set_input_files("#id_cases", table)
    with again.page.expect_navigation(timeout=240_000):
        again.page.click("main form button")
    shown = again.page.inner_text("main")
    assert "large.csv" in shown
    assert "torque" in again.page.inner_text("#id_target"), "its columns are offered"
    assert len(lost) == 1
    assert len(resumed) == pieces - 5 + 1, "what was received before was not sent again"
    assert [one for one in again.complaints if "ERR_FAILED" not in one] == []
    again.close()


SENT_BYTES = int(os.environ.get("PILOTBASE_UPLOAD_MIB", "96")) * MIB
"""Raise it to what an owner has: 5120 is 5 GiB."""


def piece_at(start):
    """Return one piece of a file that is too large to be kept: other bytes at each place."""
    block = hashlib.sha256(str(start).encode()).digest()
    return (block * (PIECE // len(block)))[: SENT_BYTES - start]


class Sender:
    """Sends a file over one connection, until that is cut."""

    def __init__(self, address, token):
        self.connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=120)
        self.token = token

    def ask(self, method, path, body=None, kind="application/json"):
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind}
        self.connection.request(method, f"/api/uploads{path}", body, headers)
        answer = self.connection.getresponse()
        content = answer.read()
        assert answer.status < 300, content
        return json.loads(content)

    def send(self, identity, most=None):
        """Send what has not been received yet, or as many pieces of it; return how many were sent."""
        start, count = self.ask("GET", f"/{identity}")["received"], 0
        while start < SENT_BYTES and count != most:
            path = f"/{identity}/pieces/{start}"
            start = self.ask("PUT", path, piece_at(start), "application/octet-stream")["received"]
            count += 1
        return count

    def cut(self, identity):
        """Send half a piece, then lose the connection."""
        start = self.ask("GET", f"/{identity}")["received"]
        self.connection.putrequest("PUT", f"/api/uploads/{identity}/pieces/{start}")
        piece = piece_at(start)
        self.connection.putheader("Authorization", f"Bearer {self.token}")
        self.connection.putheader("Content-Type", "application/octet-stream")
        self.connection.putheader("Content-Length", str(len(piece)))
        self.connection.endheaders(piece[: len(piece) // 2])
        self.connection.close()


@pytest.mark.prove
def test_an_upload_that_is_interrupted_twice_ends_whole(one_world, settings_of_hub):
    from pilotbase.hub.base import base
    from pilotbase.vault.opening import ReaderGrant
    from pilotbase.vault.uploads import erase_upload, read_upload
    from pilotbase.worker.base import vault_of
    from tests.catalogue.records_for_tests import OWNER

    settings_of_hub(upload_bytes=SENT_BYTES, upload_room_bytes=2 * SENT_BYTES)
    whole, token = hashlib.sha256(), token_of(one_world, "owner")
    for start in range(0, SENT_BYTES, PIECE):
        whole.update(piece_at(start))
    third = SENT_BYTES // PIECE // 3
    with listening(one_world) as address:
        said = {"name": "scans.zip", "size": SENT_BYTES, "digest": f"sha256:{whole.hexdigest()}"}
        sender = Sender(address, token)
        identity = sender.ask("POST", "", json.dumps(said))["identity"]
        assert sender.send(identity, third) == third
        sender.cut(identity)
        again = Sender(address, token)
        assert again.send(identity, third) == third, "only what had not come is sent again"
        again.cut(identity)
    with listening(one_world) as elsewhere:  # the hub was restarted meanwhile
        last = Sender(elsewhere, token)
        assert last.send(identity) == SENT_BYTES // PIECE - 2 * third
        assert last.ask("POST", f"/{identity}/finish")["finished"] is True
    vault = vault_of(base(), base().lab.store.as_actor(OWNER))
    read = hashlib.sha256()
    for part in read_upload(vault, identity, ReaderGrant.of_owner("plant")):
        read.update(part)
    assert read.hexdigest() == whole.hexdigest()
    erase_upload(vault, identity)
