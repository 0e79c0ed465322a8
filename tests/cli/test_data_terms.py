"""``pilotbase data``: from a level to terms, to an agreement, to what was used, in a home and in Chinese too."""

import json

import pytest
from typer.testing import CliRunner

from pilotbase.cli import app
from pilotbase.data.terms.gate import permit
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.terms import Request
from pilotbase.worker.base import open_base
from tests.catalogue.agreements_for_tests import DATASET, dataset
from tests.catalogue.records_for_tests import digest

ASKED = Request(
    target=DATASET,
    action="pb:computeOn",
    by="acme",
    purpose="pb:verification",
    recipient="acme",
    channel="pb:report",
    rows=10,
)


@pytest.fixture
def run(monkeypatch, tmp_path):
    monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / "home"))

    def run(*words, code=0, language="en"):
        monkeypatch.setenv("PILOTBASE_LANGUAGE", language)
        done = CliRunner().invoke(app, ["data", *words])
        assert done.exit_code == code, done.output
        return done.output

    return run


def described(path, **changes):
    path.write_text(json.dumps(dataset(**changes).to_json_value()))
    return str(path)


def test_a_level_gives_an_offer_that_keeps_to_it(run):
    offer = json.loads(run("terms", "compute_to_data", "plant/logs", "--uses", "5", "--until", "2028-01-01"))
    assert (offer["assigner"], offer["target"]) == ("plant", DATASET)
    assert [one["action"] for one in offer["permission"]] == ["pb:computeOn"]
    limits = {one["leftOperand"]: one["rightOperand"] for one in offer["permission"][0]["constraint"]}
    assert (limits["odrl:count"], limits["odrl:dateTime"]) == (["5"], ["2028-01-01T00:00:00Z"])
    assert "2028-13-01 is not a valid date" in run("terms", "open", "plant/logs", "--until", "2028-13-01", code=2)


def test_from_an_offer_to_a_revocation(run, tmp_path):
    assert "Published" in run("publish", described(tmp_path / "logs.json"))
    made = json.loads(run("offer", "plant/logs", "acme", "--json"))
    name = made["subject"].partition(":")[2]
    assert made["state"] == "offered"
    assert "Agreed" in run("agree", name)
    view = open_base().lab.view
    permit(view, ASKED, digest("trial"))
    assert "acme: pb:computeOn for pb:verification" in run("uses", "plant/logs")
    (use,) = json.loads(run("uses", name, "--json"))
    assert (use["place"], use["rows_so_far"], use["ground"]) == (1, 10, made["subject"])
    assert "已撤销" in run("revoke", name, "--note", "Moved", language="zh")
    with pytest.raises(RefusedError):
        permit(view, ASKED, digest("another trial"))


def test_whoever_was_revoked_waits_for_the_owner_unless_they_may_return(run, tmp_path):
    run("publish", described(tmp_path / "logs.json"))
    names = []
    for state, again in (("agreed", ()), ("asked", ("--may-return",)), ("agreed", ())):
        made = json.loads(run("take", "plant/logs", "acme", "--json"))
        names.append(made["subject"].partition(":")[2])
        assert made["state"] == state
        if state == "asked":
            assert "Agreed" in run("agree", names[-1])
        assert "Revoked" in run("revoke", names[-1], *again)


def test_a_published_offer_is_taken_up_and_ended(run, tmp_path):
    run("publish", described(tmp_path / "logs.json"))
    made = json.loads(run("take", "plant/logs", "acme", "--ends", "2099-12-31", "--json"))
    assert (made["state"], made["supplier"]) == ("agreed", "acme")
    assert "Ended" in run("end", made["subject"].partition(":")[2])
    assert "Published" in run("publish", described(tmp_path / "later.json", version="1.1.0"))
    assert "not later" in run("publish", described(tmp_path / "earlier.json", version="1.0.5"), code=2)
    assert "Withdrawn" in run("withdraw", "plant/logs")
    assert "published" in run("take", "plant/logs", "acme", code=5)
