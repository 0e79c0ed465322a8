"""``pilotbase service`` in a home and over a hub: from the certificate's file to calls, keys, budgets and the stop."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pilotbase.certificate.revoking import suspend
from pilotbase.certificate.status import IssuedCertificate
from pilotbase.cli import app
from pilotbase.documents.errors import PilotbaseError
from pilotbase.service.calls import Cost
from pilotbase.service.desk import CallDispatcher
from pilotbase.worker.base import open_base
from tests.service.services_for_tests import Served

EXAMPLE = Path(__file__).parents[2] / "examples" / "transport"


class OfBase(Served):
    """What the tests of services do, on a base as the command line makes it."""

    def __init__(self, base) -> None:
        self.store, self.folder, self.trust = base.lab.store, base.home.path, base.trust
        self.view, self.journals = base.lab.view, base.home.path / "journals"


@pytest.fixture
def run(monkeypatch):
    def run(*words, code=0, language="en"):
        monkeypatch.setenv("PILOTBASE_LANGUAGE", language)
        done = CliRunner().invoke(app, ["service", *words])
        assert done.exit_code == code, done.output
        return done.output

    return run


@pytest.fixture
def certificate(tmp_path, monkeypatch):
    """Path of the certificate of an application that the base holds."""
    monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / "home"))
    base = open_base(create=True, name="base")
    served = OfBase(base)
    issued = base.lab.view.load(served.certify(held=served.hold()), IssuedCertificate)
    path = tmp_path / "certificate.json"
    path.write_bytes(issued.envelope.to_bytes())
    base.lab.close()
    return path


def test_from_the_certificate_to_the_stop(run, certificate):
    assert "does not exist" in run("show", "milling", code=2)
    assert "forest 1.0.0" in run("create", "milling", "--certificate", str(certificate), "--title", "Mill watch")
    assert "0 reserved, of 3" in run("budget", "milling", "main", "--calls", "3", "--period", "total")
    secret = run("key", "create", "milling", "--title", "line 3", "--budget", "main").strip().splitlines()[-1]
    base = open_base()
    desk = CallDispatcher.open(base.lab.view, base.home.path / "journals")
    for _ in range(3):
        desk.settle(desk.admit(secret, "milling", Cost()), Cost())
    run("stop", "milling", "--reason", "line 3 is rebuilt")
    with pytest.raises(PilotbaseError) as caught:
        desk.admit(secret, "milling", Cost())
    assert caught.value.code == "service.stopped"
    assert "line 3 is rebuilt" in caught.value.render()
    desk.close()
    done = CliRunner().invoke(app, ["worker", "--once"])
    assert done.exit_code == 0, done.output
    assert "3 calls" in run("usage", "milling")
    assert "3 used, 0 reserved, of 3" in run("budget", "milling")
    assert "已停止" in run("show", "milling", language="zh")
    run("start", "milling", "--reason", "it runs")
    (key,) = json.loads(run("key", "list", "milling", "--json"))
    assert "secret" not in key and secret not in run("key", "list", "milling")
    run("key", "revoke", "milling", key["identity"])
    assert "revoked" in run("key", "list", "milling")
    assert [one["name"] for one in json.loads(run("list", "--json"))] == ["milling"]
    base.lab.close()


def test_terms_are_shown_and_set_one_by_one_and_a_newer_version_keeps_them(run, certificate):
    run("create", "press", "--certificate", str(certificate))
    assert "timeout_seconds: 30.0" in run("terms", "press")
    assert "workers: 2" in run("terms", "press", "workers=2", "timeout_seconds=60", "ask_human=yes")
    found = json.loads(run("terms", "press", "queue=7", "--json"))
    said = {"timeout_seconds": 60.0, "queue": 7, "workers": 2, "idle_seconds": 600.0, "body_bytes": 4 << 20}
    assert found == {**said, "concurrency": 1000, "hedge": False, "ask_human": True}
    assert "人工坐席" in run("terms", "press", language="zh")
    for wrong in ("workers", "workers=65", "wrokers=2"):
        run("terms", "press", wrong, code=2)
    run("create", "press", "--certificate", str(certificate))
    assert json.loads(run("terms", "press", "--json")) == found


def test_a_service_of_two_versions_names_both(run, certificate):
    run("create", "milling", "--certificate", str(certificate))
    assert "Versions" not in run("show", "milling")
    base = open_base()
    served = OfBase(base)
    newer = base.lab.view.load(served.certify("1.1.0", held=served.hold("1.1.0")), IssuedCertificate)
    base.lab.close()
    run("create", "milling", "--certificate", newer.certificate.serial)
    assert "in the order they are tried: forest 1.1.0, forest 1.0.0" in run("show", "milling")


def test_matches_of_two_versions_are_told_apart(tmp_path):
    for version in ("1.0.0", "1.1.0"):
        manifest = (EXAMPLE / "applications" / "delay-trees" / "application.yaml").read_text()
        (tmp_path / version).mkdir()
        (tmp_path / version / "application.yaml").write_text(manifest.replace("version: 1.0.0", f"version: {version}"))
    asked = ["match", "scenario", str(EXAMPLE), "--among", str(tmp_path)]
    said = CliRunner(env={"PILOTBASE_LANGUAGE": "en"}).invoke(app, asked).output
    assert "lakeside-ai/delay-trees 1.0.0" in said and "lakeside-ai/delay-trees 1.1.0" in said


def test_what_is_wrong_is_told_with_what_to_do(run, certificate):
    assert "either the certificate or the trial" in run("create", "milling", code=2)
    assert "has not issued a certificate" in run("create", "milling", "--certificate", "0" * 64, code=2)
    run("create", "milling", "--certificate", str(certificate))
    missing = run("budget", "milling", "main", code=2)
    assert "no budget named main" in missing and "pilotbase service budget milling main --calls 1000" in missing
    run("budget", "milling", "main", "--calls", "7"), run("budget", "milling", "night", "--calls", "9")
    assert run("budget", "milling", "main").count("of 7") == len(run("budget", "milling", "main").splitlines()) == 1
    assert "没有预算" in run("key", "create", "milling", "--title", "x", "--budget", "none", code=2, language="zh")
    run("key", "create", "milling", "--title", "x", "--scope", "everything", code=2)
    run("override", "chat", "plant", "--endpoint", "ftp://x", "--model", "m", "--reason", "r", code=2)
    run("override", "chat", "plant", "--endpoint", "oip+https://x.example", "--model", "m", "--reason", "r")
    assert re.search(r"chat .* m$", run("list"), re.MULTILINE)


@pytest.mark.parametrize(
    ("language", "held", "instead"),
    [
        ("en", "forest 1.1.0 cannot answer: its certificate is suspended", "Version forest 1.0.0 answers"),
        ("zh", "forest 1.1.0 不应答：其证书已被暂停", "调用由 forest 1.0.0 应答"),
    ],
)
def test_whoever_starts_a_service_is_told_which_certificate_is_suspended_and_what_answers(
    run, certificate, language, held, instead
):
    run("create", "milling", "--certificate", str(certificate))
    base = open_base()
    served = OfBase(base)
    newer = base.lab.view.load(served.certify("1.1.0", held=served.hold("1.1.0")), IssuedCertificate).certificate
    assert "cannot answer" not in run("create", "milling", "--certificate", newer.serial)
    suspend(base.trust, base.lab.view, base.revocations, newer.serial, "late flights", base.lab.store.clock())
    run("stop", "milling", "--reason", "line 3 is rebuilt")
    started = run("start", "milling", "--reason", "it runs", language=language)
    assert held in started and instead in started
    assert held in run("show", "milling", language=language)
    base.lab.close()
