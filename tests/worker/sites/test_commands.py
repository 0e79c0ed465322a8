"""The commands of site trials, as a person types them: enrolment, packing, what came back, revocation."""

import json

import pytest
from typer.testing import CliRunner

from pilotbase.cli import app
from pilotbase.documents.errors import InputError
from pilotbase.worker.sites.enrolling import look_at_enrolment
from pilotbase.worker.sites.unpacking import release_of
from tests.worker.sites.homes_for_tests import two_homes


def run(*arguments, code=0, language="en"):
    result = CliRunner().invoke(app, [str(one) for one in arguments], env={"PILOTBASE_LANGUAGE": language})
    assert result.exit_code == code, result.output
    return result.output


def test_a_site_is_offered_enrolled_and_given_a_pack(tmp_path, monkeypatch):
    with two_homes(tmp_path) as homes:
        file, application = homes.table / "enrolment.json", homes.application()
        monkeypatch.setenv("PILOTBASE_HOME", str(homes.place / "site"))
        key = look_at_enrolment(homes.offer()).roots.roots[-1].key.key_id
        assert key in run("site", "offer", homes.scenario, "--out", file, "--smallest-cell", "25")
        assert look_at_enrolment(file).release.smallest_cell == 25
        monkeypatch.setenv("PILOTBASE_HOME", str(homes.place / "base"))
        assert "The site was not enrolled" in run("site", "enrol", file)
        assert run("site", "list") == ""
        assert "plant-site of plant is enrolled" in run("site", "enrol", file, "--key", key)
        assert "fewer than 25 cases" in run("site", "list")
        pack = homes.table / "x.pack"
        said = run("trial", "pack", "small-alarm", application, "--site", "plant-site", "--out", pack)
        assert "the run must start by" in said and pack.is_file()
        again = run("trial", "pack", "small-alarm", application, "--site", "plant-site", "--out", pack, "--json")
        assert json.loads(again)["site"] == "plant-site"
        for wrong in (["small-alarm", application], ["small-alarm", "--site", "plant-site"]):
            assert "needs the application's folder and --site" in run("trial", "pack", *wrong, code=2)


def test_a_report_is_taken_back_shown_and_verified_in_both_languages(done, base_before, tmp_path):
    file, out = done.good.ran.file, tmp_path / "out"
    said = run("site", "take-back", file, "--out", out)
    assert "accept" in said and "Li Wei of plant witnessed it" in said
    assert "现场见证" in run("site", "take-back", file, "--out", out, language="zh")
    verify = ("certificate", "verify", out / "certificate.json", "--trust", base_before.trust_roots, "--lenient")
    assert "saw neither the cases nor the run" in run(*verify)
    assert "既未见到案例" in run(*verify, language="zh")
    assert json.loads(run(*verify, "--json"))["site"]["witness"] == {"name": "Li Wei", "organisation": "plant"}
    assert run("site", "take-back", done.bad.ran.file, "--out", tmp_path / "bad", code=3)


def test_what_was_certified_at_a_site_serves_and_is_not_watched_yet(done, base_before, tmp_path):
    run("site", "take-back", done.good.ran.file, "--out", tmp_path)
    run("service", "create", "pump-alarm", "--certificate", tmp_path / "certificate.json")
    assert "in service: alarm 1.0.0" in run("service", "show", "pump-alarm")
    assert "data owner's site" in run("watch", "replay", "pump-alarm", code=2)


def test_a_damaged_report_is_refused_with_exit_code_3(done, base_before, tmp_path):
    file = tmp_path / "damaged.json"
    file.write_bytes(done.good.ran.file.read_bytes().replace(b'"sig":"', b'"sig":"AAAA', 1))
    assert "signature: " in run("site", "take-back", file, code=3)
    assert "不成立" in run("site", "take-back", file, code=3, language="zh")


def test_a_site_is_revoked_by_a_command(done, base_before):
    assert "plant-site is revoked" in run("site", "revoke", "plant-site", "--reason", "sold")
    assert "revoked on" in run("site", "list") and "sold" in run("site", "list")
    assert "was revoked" in run("site", "take-back", done.good.ran.file, code=3)


@pytest.mark.parametrize(("figures", "cell"), [("all", 10), ("rounded", 0), ("rounded", 10**7)])
def test_what_may_leave_is_one_of_two_kinds(figures, cell):
    with pytest.raises(InputError, match="cannot be released"):
        release_of(figures, cell)
