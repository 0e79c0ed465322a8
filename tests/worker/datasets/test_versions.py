"""Versions of a dataset: each says what it changed, to whom may see it, and whether agreements reach it."""

import pytest

from pilotbase.data.terms.gate import permit
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.permissions import Act
from pilotbase.documents.terms import Request
from pilotbase.worker.operations.datasets import dataset_versions
from pilotbase.workspace.failures import NotFoundError
from tests.catalogue.agreements_for_tests import DATASET, agree, dataset, in_file, publish
from tests.catalogue.conftest import store, trial
from tests.catalogue.records_for_tests import MACHINE, OWNER, VISITOR, digest
from tests.worker.datasets.reports_for_tests import LOGS

__all__ = ["store", "trial"]
FIELDS = [{"name": "torque", "dataType": "sc:Float"}, {"name": "note", "dataType": "sc:Text"}]
GROWN = [{"name": "logs", "rows": 900, "field": in_file(FIELDS)}]


def told(trial, who, since=""):
    return dataset_versions(trial.store.as_actor(who), DATASET, since)


def changes(version, language="en"):
    return [change.render(language) for change in version.changed]


def test_each_version_says_what_it_changed(trial):
    publish(trial, dataset(recordSet=LOGS))
    trial.do(OWNER, DATASET, Act.DATASET_REVISE, dataset("1.1.0", recordSet=GROWN))
    trial.do(OWNER, DATASET, Act.DATASET_REVISE, dataset("2.0.0", recordSet=LOGS, license="CC0-1.0"))
    third, second, first = told(trial, VISITOR)
    assert [one.version for one in (first, second, third)] == ["1.0.0", "1.1.0", "2.0.0"]
    assert changes(first) == []
    assert "a new column logs.note" in changes(second)
    assert "logs: – → 900 rows" in changes(second)
    assert changes(third) == ["the column logs.note is gone", "logs: 900 → – rows", "changed: licence"]
    assert all(changes(second, "zh")) and changes(second, "zh") != changes(second)
    assert [one.new_form for one in (first, second, third)] == [False, False, True]
    (since,) = told(trial, VISITOR, "1.0.0")
    assert (since.version, changes(since)) == ("2.0.0", ["changed: licence"])
    assert changes(told(trial, VISITOR, "2.0.0")[0]) == []
    with pytest.raises(InputError, match=r"Version 1\.2\.0 does not exist"):
        told(trial, VISITOR, "1.2.0")


def test_a_draft_has_versions_for_its_owner_alone(trial):
    trial.do(OWNER, DATASET, Act.DATASET_REGISTER, dataset())
    assert [one.version for one in told(trial, OWNER)] == ["1.0.0"]
    with pytest.raises(NotFoundError):
        told(trial, VISITOR)


def test_an_agreement_reaches_what_the_list_says_it_reaches(trial):
    agree(trial, publish(trial, dataset()))

    def use(name):
        asked = Request(
            target=DATASET, action="pb:computeOn", by="acme", purpose="pb:verification", recipient="acme",
            channel="pb:report", rows=10,
        )  # fmt: skip
        return permit(trial.store.as_actor(MACHINE), asked, digest(name))

    assert use("first")
    trial.do(OWNER, DATASET, Act.DATASET_REVISE, dataset("1.1.0"))
    assert not told(trial, OWNER)[0].new_form
    assert use("second")
    trial.do(OWNER, DATASET, Act.DATASET_REVISE, dataset("2.0.0"))
    assert told(trial, OWNER)[0].new_form
    with pytest.raises(RefusedError):
        use("third")
