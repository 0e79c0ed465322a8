"""The owner of closed data settles budget and ranges of statistics on a page; errors stand where they were typed."""

import re

import pytest

from pilotbase.documents.dataset import Dataset
from pilotbase.documents.permissions import Act
from tests.catalogue.records_for_tests import OWNER
from tests.hub.closed_for_tests import closed_dataset
from tests.hub.test_descriptions_in_browser import CHROMIUM, wrong_in

PAGE = "/datasets/plant/logs/statistics/terms/"


@pytest.fixture(scope="module")
def closed(one_world):
    what = closed_dataset()
    one_world.trial.do(OWNER, what.subject, Act.DATASET_REGISTER, what)
    one_world.trial.do(OWNER, what.subject, Act.DATASET_PUBLISH)
    return one_world


def page_of(world, who="owner", language="en", address=PAGE) -> str:
    return world.client(who, headers={"Accept-Language": language}).get(address).content.decode()


def given_on(page: str) -> dict[str, str]:
    """Return what the form says as it stands: name → value."""
    inputs = {}
    for tag in re.findall(r"<input[^>]*>", page.partition("<main")[2]):
        name, value = (re.search(rf'{part}="([^"]*)"', tag) for part in ("name", "value"))
        if name and name[1] != "csrfmiddlewaretoken":
            inputs[name[1]] = value[1] if value else ""
    areas = re.findall(r'<textarea[^>]*name="([^"]*)"[^>]*>\s*([^<]*)</textarea>', page)
    return {**inputs, **dict(areas)}


def newest(world) -> Dataset:
    record = world.trial.record("dataset:plant/logs")
    return world.trial.store.as_actor(OWNER).load(record.documents["dataset"], Dataset)


def test_the_page_says_what_the_description_says_and_saved_as_it_stands_changes_the_version_alone(closed):
    given, before = given_on(page_of(closed)), newest(closed)
    assert (given["budget"], given["cell_size"], given["version"]) == ("3", "10", "1.0.1")
    assert (given["minimum_0_5"], given["maximum_0_5"], given["minimum_0_6"]) == ("0", "100", "0")
    assert given["values_0_3"].split() == ["L", "M", "H"]
    assert not any(name.endswith("_0_0") for name in given), "a key is never counted"
    assert closed.client("owner").post(PAGE, given).status_code == 302
    assert newest(closed) == before.model_copy(update={"version": "1.0.1"})


def test_what_is_settled_is_published_and_counted_in_whole_millionths(closed):
    given = given_on(page_of(closed)) | {"budget": "1.000001", "cell_size": "25", "maximum_0_5": "90.5"}
    given |= {"minimum_0_6": "", "values_0_7": "fine\n with blanks \n\nfine\n"}
    assert closed.client("owner").post(PAGE, given).status_code == 302
    saved = newest(closed)
    limits = [{one.left_operand: one.right_operand for one in each.constraint} for each in saved.usage.permission]
    assert (limits[1]["pb:epsilonBudget"], limits[1]["pb:minCellSize"]) == (("1000001",), ("25",))
    fields = saved.record_set("runs").fields
    assert (fields[5].maximum, fields[6].minimum, fields[6].maximum) == (90.5, None, 250)
    assert fields[7].values == ("fine", " with blanks ")
    assert "1.000001" in page_of(closed)


def test_what_is_wrong_stands_beside_its_field_and_nothing_is_saved(closed):
    before, given = newest(closed), given_on(page_of(closed))
    for name, value, said in (
        ("budget", "0.0000001", "decimal"),
        ("budget", "-1", "0"),
        ("cell_size", "9", "10"),
        ("minimum_0_5", "much", "number"),
        ("minimum_0_5", "nan", "number"),
        ("maximum_0_5", "-3", "-3.0"),
        ("version", "1.0.0", "not later"),
    ):
        answer = closed.client("owner", headers={"Accept-Language": "en"}).post(PAGE, given | {name: value})
        page = answer.content.decode()
        assert answer.status_code == 200, name
        place = page if name == "version" else page.partition(f'id="id_{name}_error">')[2].partition("</p>")[0]
        assert said in place, (name, value, place)
    assert newest(closed) == before


def test_in_chinese_too_and_nobody_but_the_owner_is_shown_it(closed):
    assert "隐私预算 ε" in (page := page_of(closed, language="zh")) and "上限" in page
    about = "/datasets/plant/logs/"
    assert PAGE in page_of(closed, address=about)
    for who in ("supplier", "desk", "regulator", "other-owner"):
        assert closed.client(who).get(PAGE).status_code == 404, who
        assert PAGE not in page_of(closed, who, address=about), who


@pytest.mark.prove
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
def test_everybody_can_use_the_page_on_a_phone_and_a_desktop(closed):
    assert wrong_in(closed, [PAGE]) == {}
