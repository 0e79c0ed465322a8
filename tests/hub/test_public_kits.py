"""The kit of an open scenario at an address that everybody reaches, and what is given to nobody there."""

import errno
import hashlib
import io
import re
import zipfile

import polars as pl
import pytest

from pilotbase.data.splits import split_cases
from pilotbase.documents.base import Step
from pilotbase.documents.errors import InputError
from pilotbase.documents.permissions import Act
from pilotbase.notices.rows import list_notices
from pilotbase.trial.scenario_folder import load_scenario, read_cases
from pilotbase.worker.intake.kept_files import take_scenario
from pilotbase.worker.intake.public_kits import tend_kits
from pilotbase.worker.reactions.feed import Reactions
from pilotbase.worker.trials.kits import SAMPLE
from tests.catalogue.agreements_for_tests import DATASET
from tests.catalogue.records_for_tests import DESK, OWNER, SUPPLIER
from tests.hub.live_for_tests import listening
from tests.trial.conftest import writing_application, writing_scenario
from tests.worker.calls_for_tests import Clock
from tests.worker.commissions_for_tests import SCENARIO, Ordered

KIT = "/api/scenarios/plant/small-alarm/kit"
PAGE = "/scenarios/plant/small-alarm/"


@pytest.fixture(scope="module")
def opened(one_world, tmp_path_factory):
    """A world with an open scenario whose kit is made."""
    from pilotbase.hub.base import base

    place = tmp_path_factory.mktemp("opened")
    one_world.ordered, one_world.place = Ordered(base()), place
    one_world.folder, one_world.application = writing_scenario(place)(), writing_application(place)()
    one_world.ordered.open(one_world.folder, one_world.application)
    assert one_world.client(None).get(KIT).json()["code"] == "worker.kit_not_made"
    Reactions(base()).follow()
    assert ("kit", "done") in one_world.ordered.work()
    return one_world


def changed(world, old="", new="", order=lambda base: Reactions(base).follow()):
    """Open a new version of the scenario, and have its kit made."""
    ordered, folder = world.ordered, world.folder
    before = (folder / "scenario.yaml").read_text("utf-8")
    (folder / "scenario.yaml").write_text(before.replace(old, new, 1), "utf-8")
    take_scenario(ordered.base, ordered.view(OWNER), folder)
    (folder / "scenario.yaml").write_text(before, "utf-8")
    ordered.do(OWNER, Act.SCENARIO_SUBMIT, subject=SCENARIO)
    ordered.do(DESK, Act.SCENARIO_OPEN, subject=SCENARIO)
    order(ordered.base)
    return ordered.work()


def test_anybody_takes_it_and_asks_whether_it_has_changed(opened):
    taken = opened.client(None).get(KIT)
    content = b"".join(taken.streaming_content)
    assert taken.status_code == 200 and taken["ETag"] == f'"sha256:{hashlib.sha256(content).hexdigest()}"'
    assert opened.client(None).get(KIT, headers={"If-None-Match": taken["ETag"]}).status_code == 304
    shown = opened.client(None).get(PAGE).content.decode()
    assert re.search(rf"pilotbase trial rehearse http://[^/]+{KIT} my-application", shown)
    assert hashlib.sha256(content).hexdigest() in shown

    document, folder = load_scenario(opened.folder, Step.REHEARSE)
    split = split_cases(read_cases(document, folder), document)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sample = pl.read_parquet(io.BytesIO(archive.read(SAMPLE)))
        everything = b"".join(archive.read(name) for name in archive.namelist())
    assert sample.equals(split.public.select(sample.columns))
    assert sample.join(split.hidden, on=sample.columns).is_empty()
    assert not [name for name in split.hidden["case_id"].to_list() if f'"{name}"'.encode() in everything]


def test_an_address_that_asks_too_often_waits(opened):
    answers = [opened.client(None).get(KIT, REMOTE_ADDR="192.0.2.7").status_code for _ in range(65)]
    assert 30 <= answers.count(200) <= 60 and set(answers[60:]) <= {200, 429} and 429 in answers
    assert opened.client("supplier").get(KIT, REMOTE_ADDR="192.0.2.7").status_code == 200
    assert opened.client(None).get(KIT, REMOTE_ADDR="192.0.2.8").status_code == 200


def test_its_owner_reads_why_it_could_not_be_made(opened, monkeypatch):
    monkeypatch.setattr("pilotbase.worker.intake.public_kits.MOST_FETCHED", 1000)
    assert ("kit", "failed") in changed(opened, "licence: CC0-1.0", "licence: CC-BY-4.0")
    (told,) = kit_notices(opened.ordered.base.lab.store, OWNER)
    assert "cannot be made" in told and "gives out at most 1000" in told
    assert not kit_notices(opened.ordered.base.lab.store, DESK)
    assert "gives out at most 1000" in opened.client("owner").get(PAGE).content.decode()
    assert "gives out at most" not in opened.client("supplier").get(PAGE).content.decode()
    assert opened.client(None).get(KIT, REMOTE_ADDR="192.0.2.10").status_code == 404
    monkeypatch.undo()
    changed(opened)


def test_one_that_fails_for_a_passing_reason_is_tried_again_later_each_time(opened, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "no space", "kit.zip")

    base, store = opened.ordered.base, opened.ordered.base.lab.store
    before = store.clock
    clock = Clock(before())
    monkeypatch.setattr("pilotbase.worker.intake.public_kits.write_kit", full)
    object.__setattr__(store, "clock", clock)
    try:
        assert ("kit", "failed") in changed(opened, "licence: CC0-1.0", "licence: CC-BY-SA-4.0")
        for minutes in (10, 60, 360, 1440, 1440):
            clock.pass_days((minutes - 1) / 1440)
            tend_kits(base)
            assert not opened.ordered.work(), "not yet"
            clock.pass_days(1 / 1440)
            tend_kits(base)
            assert opened.ordered.work() == [("kit", "failed")]
        for who in (OWNER, DESK):
            (told, *_) = kit_notices(store, who)
            assert (
                told
                == "No kit for everyone after 4 tries: The disk is full; cannot write kit.zip. It is tried again daily"
            )
        assert not kit_notices(store, SUPPLIER)
        monkeypatch.undo()
        clock.pass_days(1)
        tend_kits(base)
        assert ("kit", "done") in opened.ordered.work()
    finally:
        object.__setattr__(store, "clock", before)
    changed(opened)
    assert tend_kits(base) == 1


def kit_notices(store, who):
    said = (one.sentence.render("en") for one in list_notices(store.as_actor(who), limit=200)[0])
    return [one for one in said if "kit for everyone" in one]


def test_a_closed_dataset_that_has_the_file_is_told_to_nobody_and_ends_the_kit(opened, monkeypatch):
    def closed(vault, scenario, source):
        raise InputError("worker.dataset_not_named", file="cases.csv", dataset="dataset:plant/secret")

    assert opened.client(None).get(KIT, REMOTE_ADDR="192.0.2.11").status_code == 200
    monkeypatch.setattr("pilotbase.worker.intake.public_kits.require_source_named", closed)
    answer = opened.client(None).get(KIT, REMOTE_ADDR="192.0.2.11")
    assert (answer.status_code, answer.json()["code"]) == (404, "worker.kit_not_made")
    assert "secret" not in answer.content.decode()
    assert tend_kits(opened.ordered.base) == 1
    monkeypatch.undo()
    tend_kits(opened.ordered.base)
    assert ("kit", "done") in opened.ordered.work(), "it is made again once nothing bars it"


@pytest.mark.prove
def test_it_is_rehearsed_from_a_live_hub(opened, tmp_path, monkeypatch):
    from tests.cli.test_command_line import run

    monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / "elsewhere"))
    with listening(opened) as address:
        done = run("trial", "rehearse", address + KIT, opened.application, "--out", tmp_path / "out")
        assert done.exit_code == 0, done.stderr
        refused = run("trial", "rehearse", f"{address}/api/scenarios/plant/none/kit", opened.application)
    assert refused.exit_code == 2 and "plant/none does not exist" in refused.stderr
    assert (tmp_path / "out" / "rehearsal" / "report.json").is_file()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("licence: CC0-1.0", "licence: owner-only"), "worker.kit_owner_only"),
        (("trial:\n", "conditions: {data_may_leave: false}\ntrial:\n"), "worker.kit_stays"),
        (("data:\n", f"data:\n  dataset: {DATASET}\n"), "worker.kit_of_terms"),
    ],
    ids=["owner-only", "may-not-leave", "closed-dataset"],
)
def test_what_is_not_for_everybody_is_refused_with_its_reason(opened, change, code):
    assert ("kit", "failed") not in changed(opened, *change)
    refused = opened.client("supplier").get(KIT)
    assert (refused.status_code, refused.json()["code"]) == (403, code)
    assert "No kit for everyone" in opened.client("owner").get(PAGE).content.decode()
    assert "kit" not in opened.client(None).get(PAGE).content.decode().replace("starter-kit", "")
    assert tend_kits(opened.ordered.base) == 1, "the kit of the version before is erased"
    changed(opened, order=tend_kits)
    assert opened.client(None).get(KIT, REMOTE_ADDR="192.0.2.9").status_code == 200
