"""Datasets on pages and over the API: what a reader finds, in both languages, and what stays hidden."""

import pytest

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
