"""A quality report that an owner publishes: cut to the level of opening, found by the catalogue, of one version."""

import pytest

from pilotbase.catalogue.wording import Sought, seek
from pilotbase.documents.api.datasets import Facet
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.permissions import Act
from pilotbase.documents.vocabularies import Opening
from pilotbase.worker.datasets.measuring import publish_report, published_report
from pilotbase.workspace.failures import NotFoundError
from tests.catalogue.agreements_for_tests import DATASET, dataset, publish
from tests.catalogue.conftest import store, trial
from tests.catalogue.records_for_tests import OTHER_OWNER, OWNER, VISITOR
from tests.worker.datasets.reports_for_tests import LOGS, quality_report

__all__ = ["store", "trial"]
UNKNOWN = {"field": "speed", "dataType": "sc:Float", "missing": 0}


def seen(trial, who=VISITOR):
    return trial.store.as_actor(who)


def qualities(trial):
    return [one.quality for one in seek(seen(trial), Sought.of({}), str).items]


def test_a_report_on_closed_data_is_cut_whatever_is_handed_in(trial):
    publish(trial, dataset(recordSet=LOGS))
    assert qualities(trial) == ["not_measured"]
    publish_report(seen(trial, OWNER), DATASET, quality_report())
    found = published_report(seen(trial), DATASET)
    assert (found.view, found.rules[0].rows, found.rules[0].failed) == ("released", (), None)
    assert publish_report(seen(trial, OWNER), DATASET, found) == found
    assert qualities(trial) == ["pass"]


def test_the_catalogue_finds_and_counts_by_the_grade_of_this_version(trial):
    def found(outcome):
        page = seek(seen(trial), Sought.of({"quality": outcome}), str)
        assert page.total == len(page.items)
        return page.total, {one.value: one.count for one in page.facets[Facet.QUALITY]}

    publish(trial, dataset(recordSet=LOGS))
    assert found("not_measured") == (1, {"not_measured": 1})
    publish_report(seen(trial, OWNER), DATASET, quality_report())
    assert found("pass") == (1, {"pass": 1}) and found("not_measured")[0] == 0
    trial.do(OWNER, DATASET, Act.DATASET_REVISE, dataset("1.1.0", recordSet=LOGS))
    assert found("not_measured") == (1, {"not_measured": 1})


def test_of_open_data_the_whole_report_is_told(trial):
    publish(trial, dataset(opening=Opening.OPEN, recordSet=LOGS))
    publish_report(seen(trial, OWNER), DATASET, quality_report(opening="open"))
    assert published_report(seen(trial), DATASET).rules[0].rows == (17, 440, 812)


def test_a_report_speaks_of_its_version_only(trial):
    publish(trial, dataset(recordSet=LOGS))
    publish_report(seen(trial, OWNER), DATASET, quality_report())
    trial.do(OWNER, DATASET, Act.DATASET_REVISE, dataset("1.1.0", recordSet=LOGS))
    assert qualities(trial) == ["not_measured"]
    with pytest.raises(InputError):
        publish_report(seen(trial, OWNER), DATASET, quality_report())


def test_a_report_that_lacks_parts_is_refused(trial):
    publish(trial, dataset(recordSet=LOGS))
    for profiles in ([], [{"recordSet": "other", "rows": 1}], [{"recordSet": "logs", "rows": 9, "fields": [UNKNOWN]}]):
        with pytest.raises(InputError):
            publish_report(seen(trial, OWNER), DATASET, quality_report(profiles=profiles))


def test_only_the_owner_publishes_and_only_of_what_is_published(trial):
    trial.do(OWNER, DATASET, Act.DATASET_REGISTER, dataset(recordSet=LOGS))
    with pytest.raises(RefusedError):
        publish_report(seen(trial, OWNER), DATASET, quality_report())
    with pytest.raises(NotFoundError):
        publish_report(seen(trial, OTHER_OWNER), DATASET, quality_report())
    trial.do(OWNER, DATASET, Act.DATASET_PUBLISH)
    with pytest.raises(RefusedError):
        publish_report(seen(trial, OTHER_OWNER), DATASET, quality_report())
    assert published_report(seen(trial), DATASET) is None
