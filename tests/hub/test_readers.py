"""Who has read it, on a page and over the API: told to owner, operator and regulator; for others there is none."""

import pytest

from pilotbase.data.terms.gate import permit
from pilotbase.documents.errors import RefusedError
from tests.catalogue.agreements_for_tests import DATASET, agree, dataset, publish
from tests.catalogue.records_for_tests import OTHER_SUPPLIER, SUPPLIER, digest
from tests.hub.test_contribution_pages import ASKED, page_of

PAGE, API = "/datasets/plant/logs/readers/", "/api/datasets/plant/logs/readers"


@pytest.fixture(scope="module")
def read(one_world):
    """A world in which one supplier has used a dataset, and another one was refused five times."""
    trial = one_world.trial
    agree(trial, publish(trial, dataset()))
    trial.reach("proposed")
    permit(trial.store.as_actor(SUPPLIER), ASKED, digest("trial"))
    for number in range(5):
        with pytest.raises(RefusedError):
            other = ASKED.model_copy(update={"by": OTHER_SUPPLIER.organisation})
            permit(trial.store.as_actor(OTHER_SUPPLIER), other, digest(str(number)))
    return one_world


def test_owner_operator_and_regulator_read_it_and_find_the_way_to_it(read):
    for who in ("owner", "desk", "regulator"):
        assert f'href="{PAGE}"' in page_of(read, who, "/datasets/plant/logs/"), who
        page = page_of(read, who, PAGE)
        assert "Use counted" in page and "pb:report" in page and "o agreement is in force · 4 times that day" in page
    assert 'href="/scenarios/plant/milling/readers/"' in page_of(read, "owner", "/scenarios/plant/milling/")
    assert "No one has read it" in page_of(read, "owner", "/scenarios/plant/milling/readers/")
    chinese = page_of(read, "owner", PAGE, "zh")
    assert "谁读取过" in chinese and "没有生效的合约" in chinese


@pytest.mark.parametrize("who", ["supplier", "reviewer", None])
def test_for_others_there_is_no_such_page_and_no_way_to_it(read, who):
    assert "readers" not in page_of(read, who, "/datasets/plant/logs/")
    assert read.client(who).get(PAGE).status_code in ({302} if who is None else {404})
    assert read.client(who).get(API).status_code in ({401} if who is None else {404})
    if who is not None:
        assert read.client(who).get("/api/datasets/plant/none/readers").json()["title"] == read.client(who).get(
            API
        ).json()["title"].replace("logs", "none")


def test_facets_and_pages_narrow_it_on_page_and_api_alike(read):
    client = read.client("owner")
    found = client.get(API).json()
    assert [one["kind"] for one in found["items"]] == ["refused", "refused", "refused", "used"]
    assert {one["value"]: one["count"] for one in found["facets"]["kind"]} == {"refused": 3, "used": 1}
    assert found["subject"] == DATASET and found["items"][0]["reason"] == "no_agreement"
    first = client.get(f"{API}?kind=refused&limit=2").json()
    rest = client.get(f"{API}?kind=refused&limit=2&before={first['next']}").json()
    assert [one["times"] for one in (*first["items"], *rest["items"])] == [4, 2, 1] and rest["next"] is None
    page = page_of(read, "owner", f"{PAGE}?kind=used")
    assert "no agreement" not in page and 'aria-current="true"' in page
    older = page_of(read, "owner", f"{PAGE}?before={found['items'][1]['number']}")
    assert "2 times that day" not in older and "Use counted" in older
    for wrong in ("x", "-1", "9" * 30):
        assert page_of(read, "owner", f"{PAGE}?before={wrong}").count("<tr>") == 5
    assert client.get(f"{API}?kind=nothing").status_code == 422
    assert client.get("/agreements/none/readers/").status_code == 404
