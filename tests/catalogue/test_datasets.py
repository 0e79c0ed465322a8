"""The catalogue of datasets: words of both languages, facets, and counts that tell nothing of what is hidden."""

import pytest

from pilotbase.catalogue.wording import Sought, seek
from pilotbase.data.terms.templates import constraint, offer_for
from pilotbase.documents.api.datasets import Facet
from pilotbase.documents.errors import InputError
from pilotbase.documents.permissions import Act
from pilotbase.documents.terms import LeftOperand, Operator
from pilotbase.documents.vocabularies import Opening
from tests.catalogue.agreements_for_tests import dataset, in_file
from tests.catalogue.records_for_tests import DESK, OTHER_OWNER, OWNER, VISITOR

OXYGEN = {
    "name": "wards",
    "field": in_file(
        [
            {"name": "spo2", "dataType": "sc:Float", "description": {"en": "Oxygen saturation", "zh": "血氧饱和度"}},
            {"name": "outcome", "dataType": "sc:Text", "semantic": ["cr:Label"]},
        ]
    ),
    "rows": 1200,
}


def put(trial, name, by=OWNER, published=True, **changes):
    owner = by.organisation
    described = dataset(name=name, owner={"organisation": owner}, **changes)
    subject = f"dataset:{owner}/{name}"
    described = described.model_copy(
        update={"usage": described.usage.model_copy(update={"assigner": owner, "target": subject})}
    )
    trial.do(by, subject, Act.DATASET_REGISTER, described)
    if published:
        trial.do(by, subject, Act.DATASET_PUBLISH)
    return subject


@pytest.fixture
def filled(any_trial):
    put(any_trial, "logs", sector="manufacturing", keywords=("spindle", "主轴"))
    put(any_trial, "wards", OTHER_OWNER, sector="healthcare", inLanguage=["zh"], recordSet=[OXYGEN])
    put(any_trial, "grid", sector="manufacturing", opening=Opening.OPEN, license="CC0-1.0")
    put(any_trial, "secret", sector="healthcare", keywords=("spindle",), license="hush", published=False)
    return any_trial


def names(view, words="", **values):
    found = seek(view, Sought.of({"q": words, **values}), str)
    assert found.total == len(found.items)
    return [one.subject.partition("/")[2] for one in found.items]


def counts(view, facet, **values):
    return {one.value: one.count for one in seek(view, Sought.of(values), str).facets[facet]}


def test_terms_that_no_request_can_meet_are_not_published(any_trial):
    place = constraint(LeftOperand.SPATIAL, Operator.EQ, "CN")
    offered = offer_for(Opening.ON_TERMS, "plant", "dataset:plant/far")
    here = offered.permission[0].model_copy(update={"constraint": (*offered.permission[0].constraint, place)})
    described = dataset(
        name="far", opening=Opening.ON_TERMS, usageInfo=offered.model_copy(update={"permission": (here,)})
    )
    any_trial.do(OWNER, "dataset:plant/far", Act.DATASET_REGISTER, described)
    with pytest.raises(InputError) as told:
        any_trial.do(OWNER, "dataset:plant/far", Act.DATASET_PUBLISH)
    (issue,) = told.value.issues
    assert issue.path == "usageInfo.permission[0].constraint[1]" and "Remove this constraint" in issue.render()


def test_words_of_both_languages_find_titles_descriptions_keywords_and_fields(filled):
    visitor = filled.store.as_actor(VISITOR)
    for words, found in (
        ("主轴", ["grid", "wards", "logs"]),
        ("SPINDLE 主轴 每秒扭矩", ["grid", "wards", "logs"]),
        ("血氧", ["wards"]),
        ("oxygen saturation", ["wards"]),
        ("spo2", ["wards"]),
        ("hush", []),
        ("no such word", []),
    ):
        assert names(visitor, words) == found, words


def test_each_facet_narrows_and_is_counted_by_what_the_others_leave(filled):
    visitor = filled.store.as_actor(VISITOR)
    assert names(visitor, sector="manufacturing") == ["grid", "logs"]
    assert names(visitor, sector="manufacturing", opening="open") == ["grid"]
    assert names(visitor, licence="CC0-1.0") == ["grid"]
    assert names(visitor, language="zh") == names(visitor, labels="yes") == ["wards"]
    assert names(visitor, quality="not_measured", state="published") == ["grid", "wards", "logs"]
    assert counts(visitor, Facet.SECTOR) == {"manufacturing": 2, "healthcare": 1}
    assert counts(visitor, Facet.SECTOR, sector="healthcare") == {"manufacturing": 2, "healthcare": 1}
    assert counts(visitor, Facet.OPENING, sector="manufacturing") == {"open": 1, "compute_to_data": 1}
    assert counts(visitor, Facet.LABELS, sector="nothing") == {}


def test_what_is_hidden_is_in_no_list_no_count_and_no_value_of_a_facet(filled):
    for who, there in ((VISITOR, False), (OTHER_OWNER, False), (OWNER, True), (DESK, True)):
        view = filled.store.as_actor(who)
        page = seek(view, Sought(), str)
        assert ("hush" in str(page)) is ("secret" in str(page)) is there, who
        assert counts(view, Facet.STATE) == ({"published": 3, "draft": 1} if there else {"published": 3})
        assert counts(view, Facet.SECTOR)["healthcare"] == (2 if there else 1)


def test_pages_follow_each_other_and_begin_at_what_is_seen_only(filled):
    visitor = filled.store.as_actor(VISITOR)
    first = seek(visitor, Sought(), str, limit=2)
    second = seek(visitor, Sought(), str, first.next, 2)
    assert [one.subject.partition("/")[2] for one in (*first.items, *second.items)] == ["grid", "wards", "logs"]
    assert second.next is None
    with pytest.raises(InputError):
        seek(visitor, Sought(), str, "dataset:plant/secret")
    wards = second.items if second.items[0].subject.endswith("wards") else first.items
    assert [(one.rows, one.fields, one.labelled) for one in wards if one.subject.endswith("wards")] == [(1200, 2, True)]


def test_a_licence_is_found_however_it_is_written(filled):
    licence = "https://x.example/%_/" + "long/" * 80
    put(filled, "odd", license=licence)
    assert names(filled.store.as_actor(VISITOR), licence=licence) == ["odd"]
    put(filled, "both", license="CC-BY-4.0 AND CC0-1.0")
    assert names(filled.store.as_actor(VISITOR), licence="CC0-1.0") == ["grid"]
