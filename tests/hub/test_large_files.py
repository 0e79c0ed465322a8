"""Large files: the limit is said before, a form never fails on one, and a browser sends what is larger in pieces."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from pilotbase.hub import configuration
from tests.hub.live_for_tests import listening
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
