"""Datasets on pages and over the API: what a reader finds, in both languages, and what stays hidden."""

import pytest

from pilotbase.catalogue.records import load_record
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.permissions import Act
from tests.catalogue.agreements_for_tests import DATASET, dataset, publish
from tests.catalogue.records_for_tests import OWNER


@pytest.fixture(scope="module")
def two(one_world):
    """A world with a published dataset and a draft."""
    publish(one_world.trial, dataset(sector="manufacturing", keywords=("spindle",)))
    draft = dataset(name="secret", license="hush", sector="healthcare")
    usage = draft.usage.model_copy(update={"target": "dataset:plant/secret"})
    one_world.trial.do(OWNER, "dataset:plant/secret", Act.DATASET_REGISTER, draft.model_copy(update={"usage": usage}))
    return one_world


def page_of(world, who, address, language="en") -> str:
    found = world.client(who).get(address, headers={"Accept-Language": language})
    assert found.status_code == 200, (who, address, found.status_code)
    return found.content.decode()


def test_a_search_finds_and_its_facets_lead_on(two):
    page = page_of(two, None, "/datasets/?q=spindle")
    assert "Spindle logs" in page and "/datasets/plant/logs/" in page
    assert "CC-BY-4.0" in page and "sector=manufacturing" not in page, "one value narrows nothing"
    both = page_of(two, "desk", "/datasets/")
    assert 'href="?sector=manufacturing"' in both and 'href="?licence=hush"' in both
    chosen = page_of(two, None, "/datasets/?q=主轴&sector=manufacturing", "zh")
    assert "主轴日志" in chosen and "数据不出域" in chosen and 'aria-current="true"' in chosen
    assert "Spindle logs" not in page_of(two, None, "/datasets/?q=spindle&opening=open")


def test_a_draft_is_in_no_page_of_others_and_in_no_number(two):
    for who, there in ((None, False), ("supplier", False), ("other-owner", False), ("owner", True), ("desk", True)):
        page = page_of(two, who, "/datasets/")
        assert ("hush" in page) is ("healthcare" in page) is there, who
        told = two.client(who).get("/api/catalogue/datasets?q=spindle").json()
        sectors = {one["value"]: one["count"] for one in told["facets"]["sector"]}
        assert (told["total"], sectors.get("healthcare", 0)) == ((2, 1) if there else (1, 0)), who


def test_the_api_tells_the_same_as_the_page(two):
    told = two.client(None).get("/api/catalogue/datasets", {"sector": "manufacturing", "licence": "CC-BY-4.0"}).json()
    (found,) = told["items"]
    assert (found["subject"], found["url"], found["opening"]) == (DATASET, "/datasets/plant/logs/", "compute_to_data")
    assert told["facets"]["quality"] == [{"value": "not_measured", "count": 1}] and told["next"] is None
    assert two.client(None).get("/api/catalogue/datasets?labels=perhaps").status_code == 422


FIELDS = {"title_en": "Vibration of presses", "title_zh": "压机振动", "description_en": "One press, a second a row.",
          "license": "CC-BY-4.0", "url": "https://plant.example/vibration", "creator": "Line 3; Line 4",
          "publisher": "Plant", "date_published": "2026-04-01", "date_modified": "2026-04-01", "in_language": "en; zh",
          "collection": "By the controller.", "personal_sensitive_information": "none", "limitations": "One press.",
          "use_cases": "Warning of wear.", "sector": "manufacturing", "opening": "on_terms", "purpose": "training",
          "version": "1.0.0", "usual_terms": "on"}  # fmt: skip


def described(address):
    from pilotbase.hub.base import base

    record, _ = load_record(base().lab.view, f"dataset:{address.removeprefix('/datasets/').rstrip('/')}")
    return base().lab.view.load(record.documents["dataset"], Dataset)


def test_a_dataset_is_described_changed_and_published_without_json(two):
    owner = two.client("owner")
    refused = owner.post("/datasets/new/", {**FIELDS, "title_en": "", "title_zh": ""}).content.decode()
    assert refused.count("wrong-why") == 1 and "One press." in refused
    made = owner.post("/datasets/new/", FIELDS)
    assert made["Location"] == "/datasets/plant/vibration-of-presses/"
    address = f"{made['Location']}acts/dataset.edit/"
    for language in ("en", "zh"):
        form = page_of(two, "owner", address, language)
        assert "Line 3; Line 4" in form and "<details" in form and "usual_terms" not in form
    assert owner.post(address, {**FIELDS, "limitations": "One press; one month"}).status_code == 302
    after = described(made["Location"])
    assert after.responsible.limitations == ("One press", "one month") and after.title.zh == "压机振动"
    assert after.usage is not None and after.in_language == ("en", "zh")
    lacking = owner.post(f"/api{made['Location']}acts/dataset.publish", {}, content_type="application/json").json()
    assert [one["path"] for one in lacking["problems"]] == ["recordSet"], "all but its tables is said"


def test_columns_are_explained_in_fields_and_what_the_form_does_not_ask_stays(two):
    owner, place = two.client("owner"), "/datasets/plant/secret/"
    before = described(place)
    column = before.record_sets[0].fields[0].name
    said = {**FIELDS, "version": "1.0.0", "unit": f"{column} = kPa", "description": f"{column} = Pressure"}
    wrong = owner.post(f"{place}acts/dataset.edit/", {**said, "unit": "no_such = kPa"}).content.decode()
    assert "There is no column no_such." in wrong
    done = owner.post(f"{place}acts/dataset.edit/", said)
    assert done.status_code == 302, done.content.decode()
    after = described(place)
    assert after.record_sets[0].fields[0].unit == "kPa" and after.record_sets[0].fields[0].description == "Pressure"
    assert after.distribution == before.distribution and after.usage == before.usage and after.name == "secret"


def test_fields_and_document_are_not_changed_together(two):
    owner, place = two.client("owner"), "/datasets/plant/secret/acts/dataset.edit/"
    both = owner.post(place, {**FIELDS, "content": "{}"}).content.decode()
    assert "change one of them" in both and "<details" in both and " open>" in both
