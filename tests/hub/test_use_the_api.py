"""Command line and client over a real connection, and every example of docs/use-the-api.md as it stands there."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pilotbase.cli import app
from pilotbase.documents.errors import InputError, PilotbaseError, RefusedError
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import Appeal
from pilotbase.operations import uploads
from pilotbase.operations.operation import NoInput
from pilotbase.protocols.hub_client import HubClient
from pilotbase.protocols.hub_requests import HubCalls, HubRequests
from tests.hub.live_for_tests import listening, token_of
from tests.hub.test_uploads import packed

GUIDE = Path(__file__).parents[2] / "docs" / "use-the-api.md"


def uploads_of(hub):
    return HubCalls(hub.requests).call(uploads.LIST, NoInput())


@pytest.fixture(scope="module")
def world(one_world):
    one_world.trial.reach("reported")
    return one_world


@pytest.fixture(scope="module")
def address(world):
    with listening(world) as found:
        yield found


@pytest.fixture
def hub_of(world, address):
    return lambda who, **more: HubClient(HubRequests(address, token_of(world, who), **more))


@pytest.fixture
def pilotbase(world, address, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PILOTBASE_LANGUAGE", raising=False)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")

    def run(who, *words):
        monkeypatch.setenv("PILOTBASE_HUB_TOKEN", token_of(world, who) if who else "")
        return CliRunner().invoke(app, ["--hub", address, *words])

    return run


@pytest.fixture
def pine(tmp_path):
    import zipfile

    with zipfile.ZipFile(packed([])) as archive:
        archive.extractall(tmp_path)
    return tmp_path / "pine"


@pytest.mark.prove
def test_every_example_of_the_guide_runs(world, address, pine, tmp_path):
    variables = {
        **os.environ,
        "PILOTBASE_HUB": address,
        "PILOTBASE_HUB_TOKEN": token_of(world, "supplier"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PILOTBASE_LANGUAGE": "en",
    }
    blocks = re.findall(r"^```(console|python)\n(.*?)^```", GUIDE.read_text("utf-8"), re.M | re.S)
    consoles = [re.sub(r"^\$ ", "", block, flags=re.M) for kind, block in blocks if kind == "console"]
    script = "set -eu\nset -o pipefail\n" + "\n".join(consoles[:-3])  # a record is withdrawn by the third but last
    later = "set -eu\n" + "\n".join(consoles[-3:])
    python = "\n".join(block for kind, block in blocks if kind == "python")
    for command in (["bash", "-c", script], [sys.executable, "-c", python], ["bash", "-c", later]):
        done = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((tmp_path / "scenario.json").read_text("utf-8"))["name"] == "milling"


def test_a_folder_is_handed_in_and_moves_on(pilotbase, pine, hub_of):
    done = pilotbase("other-supplier", "application", "save", "pine", "--json")
    assert done.exit_code == 5, "the folder says that it is of another"
    manifest = pine / "application.yaml"
    manifest.write_text(manifest.read_text().replace("name: pine", "name: larch"))
    done = pilotbase("supplier", "application", "save", "pine", "--scenario", "plant/milling", "--json")
    assert done.exit_code == 0, done.output
    record = json.loads(done.stdout)
    assert (record["subject"], record["state"]) == ("application:acme/larch", "draft")
    assert "application:acme/larch" in pilotbase("supplier", "application", "list", "larch").stdout
    assert pilotbase("other-supplier", "application", "list", "larch").stdout == ""
    assert "Python: the function app:predict" in pilotbase("supplier", "application", "show", "acme/larch").stdout
    assert pilotbase("other-supplier", "application", "show", "acme/larch").exit_code == 2
    assert pilotbase("supplier", "application", "submit", "acme/larch").exit_code == 0
    again = pilotbase("supplier", "application", "submit", "acme/larch")
    assert again.exit_code == 5 and "larch" in again.stderr
    assert uploads_of(hub_of("supplier")) == []


def test_what_one_may_do_is_listed_and_done(pilotbase, tmp_path):
    listed = pilotbase("owner", "acts", "commission:c1")
    assert "acceptance.give [acceptance]" in listed.stdout and "plan.freeze" not in listed.stdout
    assert (
        "c1" in pilotbase("owner", "trial", "list").stdout and "c1" in pilotbase("owner", "trial", "show", "c1").stdout
    )
    assert "acceptance" in pilotbase("owner", "work", "--json").stdout
    (tmp_path / "appeal.json").write_text('{"grounds": 7, "more": 1}')
    wrong = pilotbase("owner", "act", "commission:c1", "appeal.file", "--from", "appeal.json")
    assert wrong.exit_code == 2 and "grounds" in wrong.stderr and "more" in wrong.stderr
    (tmp_path / "appeal.json").write_text('{"grounds": "Labels were wrong."}')
    done = pilotbase("owner", "act", "commission:c1", "appeal.file", "--from", "appeal.json", "--json")
    assert done.exit_code == 0 and json.loads(done.stdout)["appeals"][0]["grounds"] == "Labels were wrong."
    assert pilotbase("owner", "act", "commission:c1", "appeal.file").exit_code == 2
    assert pilotbase("owner", "act", "commission:c1", "no.such").exit_code == 2
    assert pilotbase("supplier", "act", "commission:c1", "plan.freeze").exit_code == 5


def test_reports_and_progress_and_certificates(pilotbase, tmp_path):
    full = pilotbase("owner", "trial", "report", "c1", "--out", "report.json")
    assert full.exit_code == 0 and (tmp_path / "report.json").is_file(), full.output
    assert pilotbase("owner", "trial", "progress", "c1", "--json").exit_code == 0
    assert pilotbase("other-owner", "trial", "report", "c1").exit_code == 2
    (tmp_path / "certificate.json").write_text("{}")
    checked = pilotbase(None, "certificate", "check", "certificate.json")
    assert checked.exit_code == 3 and checked.stdout.strip()
    assert pilotbase(None, "certificate", "check", "0" * 64).exit_code == 2


def test_commands_of_this_machine_say_so(pilotbase):
    assert "--hub" in pilotbase("owner", "log", "verify").stderr


def test_errors_come_in_our_tree_and_the_callers_language(hub_of):
    with pytest.raises(InputError) as missing:
        hub_of("owner", language="zh").content("scenario:hospital/none")
    assert missing.value.text.params["found"] == "hub.not_found"
    assert any("\u4e00" <= letter <= "\u9fff" for letter in missing.value.render("zh"))
    with pytest.raises(RefusedError) as refused:
        HubClient(HubRequests(hub_of("owner").requests.url, "pilot_wrong")).me()
    assert refused.value.text.params["found"] == "hub.token_invalid"
    owner = hub_of("owner")
    seen = owner.record("commission:c1").digest()
    owner.take("commission:c1", Act.APPEAL_FILE, Appeal(grounds="One."), seen)
    with pytest.raises(PilotbaseError) as stale:
        owner.take("commission:c1", Act.APPEAL_FILE, Appeal(grounds="Two."), seen)
    assert stale.value.exit_code == 1 and "plant" in str(stale.value)


def test_an_upload_goes_on_where_it_broke_off(hub_of, monkeypatch):
    import io

    from pilotbase.protocols import hub_client

    monkeypatch.setattr(hub_client, "MAXIMUM_PIECE", 1000)
    hub, content = hub_of("supplier"), io.BytesIO(os.urandom(5000))
    told = []

    def break_off(progress):
        told.append(progress.done)
        if progress.done >= 3000 and len(told) < 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hub.upload("x.zip", content, break_off)
    assert [one.received for one in uploads_of(hub)] == [3000]
    told.clear()
    assert hub.upload("x.zip", content, lambda progress: told.append(progress.done)).finished
    assert told == [3000, 4000, 5000]
    (erased,) = uploads_of(hub)
    HubCalls(hub.requests).call(uploads.ERASE, uploads.OfUpload(identity=erased.identity))
    assert uploads_of(hub) == []


def test_bodies_beyond_the_limit_are_refused_before_they_are_read(address, hub_of):
    import http.client

    host = address.removeprefix("http://")
    for path, kind in (("/api/certificates/check", "application/problem+json"), ("/account/login/", "text/html")):
        connection = http.client.HTTPConnection(host, timeout=60)
        connection.putrequest("POST", path)
        connection.putheader("Content-Length", str(1 << 40))
        connection.putheader("Content-Type", "application/json")
        connection.endheaders()
        answer = connection.getresponse()
        assert (answer.status, answer.headers["Content-Type"].partition(";")[0]) == (413, kind)
        connection.close()
    with pytest.raises(InputError) as large:
        hub_of("owner").requests.send("POST", "/certificates/check", b"x" * (5 << 20))
    assert large.value.text.params["found"] == "api.body_too_large"
