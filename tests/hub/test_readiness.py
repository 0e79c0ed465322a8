"""``serve --check``: each thing that would keep the hub from serving is told, in both languages, and nothing else."""

import importlib
import os
import shutil
import socket

import pytest

from pilotbase.documents.texts import LANGUAGES


def told(port: int = 0) -> dict[str, str]:
    from pilotbase.hub.serving import serving
    from pilotbase.hub.serving.serving import BindAddress

    found = list(serving.problems(BindAddress(port=port)))
    assert all(sentence.render(language) for sentence in found for language in LANGUAGES)
    return {sentence.code: sentence.render("en") for sentence in found}


@pytest.fixture
def listening():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_hub_that_is_ready_has_no_problem(any_world):
    assert told() == {}


def test_a_port_that_is_taken_is_told(one_world, listening):
    assert f":{listening}" in told(listening)["hub.place_taken"]


def test_a_mail_server_that_does_not_answer_is_told_without_its_password(one_world, monkeypatch, listening):
    monkeypatch.setenv("PILOTBASE_HUB_MAIL", f"smtp://me:geheim@127.0.0.1:{listening}")
    assert told() == {}
    monkeypatch.setenv("PILOTBASE_HUB_MAIL", "smtp://me:geheim@127.0.0.1:1")
    assert "127.0.0.1:1" in told()["hub.check_mail"] and "geheim" not in str(told())


def test_too_little_space_is_told(one_world, monkeypatch):
    usage = shutil.disk_usage("/")._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert "1000 bytes" in told()["hub.check_space"]


def test_keys_that_were_not_brought_back_are_told(one_world):
    from pilotbase.hub.base import base

    keys = base().home.keys
    keys.await_back(["owners/port.key"])
    try:
        assert "owners/port.key" in told()["backup.keys_missing"]
    finally:
        (keys.path / "awaited").unlink()


def test_blobs_that_cannot_be_written_are_told(one_world):
    from pilotbase.hub.base import base

    blobs, away = base().home.path / "blobs", base().home.path / ".blobs"
    blobs.rename(away)
    blobs.write_bytes(b"")
    try:
        assert str(blobs) in told()["workspace.machine_failed"]
    finally:
        blobs.unlink()
        away.rename(blobs)


def test_all_settings_that_are_wrong_are_told_at_once(one_world, monkeypatch):
    from pilotbase.hub.serving import serving
    from pilotbase.hub.serving.serving import BindAddress

    monkeypatch.setenv("PILOTBASE_HUB_LOG", "xml")
    monkeypatch.setenv("PILOTBASE_HUB_LANGAUGE", "zh")
    lines = [sentence.render("en") for sentence in serving.problems(BindAddress())]
    assert [line.split(":")[0] for line in lines] == ["PILOTBASE_HUB_LOG", "PILOTBASE_HUB_LANGAUGE"]


def test_a_home_that_is_none_is_told_with_what_to_do(one_world, monkeypatch, tmp_path):
    (tmp_path / "photos").mkdir()
    monkeypatch.setitem(os.environ, "PILOTBASE_HOME", str(tmp_path))
    assert set(told()) == {"workspace.no_home", "workspace.no_home.hint"}


def test_a_home_that_serve_makes_keeps_nothing_from_serving(one_world, monkeypatch, tmp_path, listening):
    from pilotbase.hub.serving import serving

    monkeypatch.setitem(os.environ, "PILOTBASE_HOME", str(tmp_path / "none"))
    assert told() == {} and not (tmp_path / "none").exists()
    assert set(told(listening)) == {"hub.place_taken"}, "the rest is looked at all the same"
    (said,) = [one for one in serving.shortcomings() if one.code == "hub.check_no_home"]
    assert str(tmp_path / "none") in said.render("en") and "pilotbase init" in said.render("zh")


def test_accounts_that_serve_brings_up_to_date_keep_nothing_from_serving(one_world, monkeypatch):
    from pilotbase.hub.serving import serving

    monkeypatch.setattr(serving, "migrations_behind", lambda: 3)
    assert told() == {}
    assert any("3 steps" in one.render("en") for one in serving.shortcomings())


def test_what_a_hub_can_serve_without_is_told_apart(one_world, monkeypatch):
    from pilotbase.hub.models import Membership
    from pilotbase.hub.serving import serving

    class NoBoxes:
        def gives(self, level: object) -> bool:
            return False

    monkeypatch.setattr(serving, "probe_host", NoBoxes)
    assert [one.code for one in serving.shortcomings()] == ["hub.check_no_boxes"]
    monkeypatch.setattr(Membership.objects, "exists", lambda: False, raising=False)
    assert [one.code for one in serving.shortcomings()] == ["hub.check_no_boxes", "hub.check_nobody"]


def test_a_second_demonstration_says_that_earlier_passwords_are_void(one_world, monkeypatch, capsys):
    commands = importlib.import_module("pilotbase.cli.serve")
    monkeypatch.setattr(commands, "take_walk", lambda *_, **__: None)
    monkeypatch.setattr("pilotbase.worker.demo.records.fill", lambda *_: ())
    monkeypatch.setattr("pilotbase.hub.demo.require_own_ground", lambda: None)
    commands._fill(True)
    first = capsys.readouterr()
    commands._fill(False)
    second = capsys.readouterr()
    assert "no longer work" not in first.err and "no longer work" in second.err
    assert "desk@pilot.example" in first.out and first.out != second.out
