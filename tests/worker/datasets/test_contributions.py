"""The ledger of contributions: its numbers are those of the log, and few are told to nobody else."""

from collections import Counter
from dataclasses import replace

import pytest

from pilotbase.data.terms.gate import permit
from pilotbase.documents.permissions import Act
from pilotbase.documents.terms import Action, Channel, Request
from pilotbase.documents.vocabularies import Opening, Role
from pilotbase.worker.datasets.contributions import contribution, contributions
from pilotbase.workspace.actors import actor
from pilotbase.workspace.listings import find_listing, put_listing
from tests.catalogue.agreements_for_tests import AGREEMENT, DATASET, agree, dataset, publish
from tests.catalogue.conftest import store, trial
from tests.catalogue.records_for_tests import DESK, MACHINE, OTHER_OWNER, OWNER, REGULATOR, SUPPLIER, VISITOR, digest

__all__ = ["store", "trial"]
TOLD = ("agreements", "organisations", "uses", "rows")


def take(trial, by: str, times: int, rows: int = 10) -> None:
    view = trial.store.as_actor(actor(by, Role.SUPPLIER))
    for number in range(times):
        asked = Request(target=DATASET, action=Action.USE, by=by, channel=Channel.DOWNLOAD, rows=rows)
        permit(view, asked, digest(f"{by} {number}"))


def told(trial, who):
    found = contribution(trial.store.as_actor(who), DATASET)
    return tuple(getattr(found, name) for name in TOLD)


def test_the_numbers_are_those_of_the_log(trial):
    publish(trial, dataset(opening=Opening.OPEN))
    trial.do(OWNER, DATASET, Act.DATASET_REVISE, dataset("1.1.0", Opening.OPEN))
    for by, times in (("acme", 3), ("globex", 1), ("lakeside", 4), ("plant", 2)):
        take(trial, by, times)
    uses = [one for one in trial.store.as_actor(MACHINE).log_entries() if one.action == "terms.used"]
    others = [one for one in uses if one.actor.organisation != "plant"]
    found = contribution(trial.store.as_actor(OWNER), DATASET)
    assert (len(uses), found.uses) == (10, len(others))
    assert found.organisations == len({one.actor.organisation for one in others}) == 3
    assert found.rows == sum(int(one.facts["rows"]) for one in others) == 80
    assert found.uses_by == Counter(one.facts["channel"] for one in others) == {"pb:download": 8}
    record = trial.record(DATASET)
    assert (found.versions, found.version, found.published_at) == (2, "1.1.0", record.history[1].at)


def test_uses_of_few_are_for_owner_operator_and_regulator_alone(trial):
    publish(trial, dataset(opening=Opening.OPEN))
    for by, times, public in (
        ("acme", 4, False),
        ("globex", 4, False),  # eight uses, but of two
        ("lakeside", 1, True),
    ):
        take(trial, by, times)
        assert (told(trial, VISITOR)[2] is not None) is public, by
        assert told(trial, OTHER_OWNER) == told(trial, VISITOR) == told(trial, SUPPLIER)
        assert None not in told(trial, OWNER)
    assert told(trial, VISITOR) == (None, 3, 9, 90)
    assert told(trial, OWNER) == told(trial, DESK) == told(trial, REGULATOR) == (0, 3, 9, 90)
    assert contribution(trial.store.as_actor(VISITOR), DATASET).uses_by == {}
    (of_owner,) = contributions(trial.store.as_actor(VISITOR)).owners
    assert (of_owner.owner, of_owner.datasets, of_owner.uses, of_owner.agreements) == ("plant", 1, 9, None)


def test_three_organisations_with_four_uses_are_too_few(trial):
    publish(trial, dataset(opening=Opening.OPEN))
    for by, times in (("acme", 2), ("globex", 1), ("lakeside", 1)):
        take(trial, by, times)
    assert told(trial, VISITOR)[1:] == (None, None, None)


def test_a_sum_is_told_only_where_each_part_is(trial):
    publish(trial, dataset(opening=Opening.OPEN))
    for by, times in (("acme", 3), ("globex", 3), ("lakeside", 3)):
        take(trial, by, times)
    quiet = dataset(name="quiet")
    usage = quiet.usage.model_copy(update={"target": "dataset:plant/quiet"})
    trial.do(OWNER, "dataset:plant/quiet", Act.DATASET_REGISTER, quiet.model_copy(update={"usage": usage}))
    assert contributions(trial.store.as_actor(VISITOR)).owners[0].uses == 9
    trial.do(OWNER, "dataset:plant/quiet", Act.DATASET_PUBLISH)
    assert contributions(trial.store.as_actor(VISITOR)).owners[0].uses is None
    assert contributions(trial.store.as_actor(OWNER)).owners[0].uses == 9
    assert contributions(trial.store.as_actor(OWNER), "hospital").datasets == []


def test_agreements_count_while_they_hold_and_hidden_datasets_do_not_exist(trial, clock):
    what = publish(trial, dataset())
    agree(trial, what, ends="2026-05-10")
    assert told(trial, OWNER)[0] == 1
    trial.do(OWNER, AGREEMENT, Act.AGREEMENT_REVOKE)
    assert told(trial, OWNER)[0] == 0
    draft = dataset(name="draft")
    usage = draft.usage.model_copy(update={"target": "dataset:plant/draft"})
    trial.do(OWNER, "dataset:plant/draft", Act.DATASET_REGISTER, draft.model_copy(update={"usage": usage}))
    assert contribution(trial.store.as_actor(VISITOR), "dataset:plant/draft") is None
    assert [one.dataset for one in contributions(trial.store.as_actor(SUPPLIER)).datasets] == [DATASET]


@pytest.mark.prove
def test_all_datasets_are_counted_however_many_there_are(trial):
    publish(trial, dataset(opening=Opening.OPEN))
    view = trial.store.as_actor(MACHINE)
    listed = find_listing(view, DATASET)
    with view.transaction("many") as change:
        for number in range(5_100):
            put_listing(change, replace(listed, subject=f"dataset:plant/logs{number}"), ())
    take(trial, "acme", 1)
    found = contributions(trial.store.as_actor(OWNER))
    assert [one.datasets for one in found.owners] == [5_101] and len(found.datasets) == 5_101
    assert {one.dataset: one.uses for one in found.datasets if one.uses} == {DATASET: 1}, "the oldest one too"
