"""What stands around every page: few entries by role, every page two steps away, the search, the theme, the icons."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.hub.worlds_for_tests import PEOPLE

HUB = Path(__file__).parents[2] / "src/pilotbase/hub"
TEMPLATES = [*HUB.glob("templates/**/*.html"), *HUB.parents[2].glob("estate/**/templates/**/*.html")]
MEMBERS = [who for who, (organisation, _) in PEOPLE.items() if organisation]


@pytest.fixture(scope="module")
def walked(one_world):
    one_world.trial.reach("reported")
    return one_world


def page(made, who, path, language="en"):
    answer = made.client(who).get(path, HTTP_ACCEPT_LANGUAGE=language)
    assert answer.status_code == 200, answer
    return answer.content.decode()


def links(html):
    return set(re.findall(r'href="(/[^"?#]*)', html))


@pytest.mark.one_in(7)
@pytest.mark.parametrize("who", MEMBERS)
def test_a_role_has_few_entries_and_every_page_is_two_steps_away(walked, who):
    from pilotbase.hub.presenters.navigation import items

    home = page(walked, who, "/work/")
    side = home.partition('class="side"')[2].partition("</nav>")[0]
    entries = re.findall(r"<li><a ", side)
    assert 3 < len(entries) <= 7 and side.count("<h2>") <= 5
    near = links(home) | links(page(walked, who, "/find/"))
    client = walked.client(who)
    assert [item.url for item in items() if client.get(item.url).status_code == 200 and item.url not in near] == []


def test_where_one_is_is_marked_and_a_place_shows_its_pages(walked):
    shown = page(walked, "desk", "/queue/")
    assert re.search(r'href="/trials/" aria-current="page">.*?</svg>Trials', shown)
    assert re.search(r'class="tabs".*?href="/queue/" aria-current="page"', shown)
    assert 'class="tabs"' not in page(walked, "desk", "/scenarios/plant/milling/"), "a record has its way back instead"


def test_search_comes_upon_acts_records_and_pages_in_either_language(walked):
    shown = page(walked, "owner", "/find/?q=mill")
    assert 'href="/scenarios/plant/milling/"' in shown and "Scenario ·" in shown
    assert "Accept the result" in page(walked, "owner", "/find/?q=accept")
    assert 'href="/warnings/"' in page(walked, "owner", "/find/?q=风险", "zh")
    assert "Nothing found" in page(walked, "owner", "/find/?q=zzzz")
    assert "milling/" not in page(walked, "other-supplier", "/find/?q=417").partition("<main")[2]


def test_suggestions_are_a_short_fragment(walked):
    shown = page(walked, "desk", "/find/?part=1&q=e")
    assert "<html" not in shown and 1 < shown.count("<li>") <= 9
    assert "<b>" not in page(walked, "desk", "/find/?q=%3Cb%3E")


def test_the_theme_is_chosen_without_script_and_kept(walked):
    client = walked.client("reviewer", enforce_csrf_checks=False)
    assert "data-theme" not in client.get("/work/").content.decode()
    for theme, mark in (
        ("dark", 'data-theme="dark"'),
        ("<b>", None),
        ("light", 'data-theme="light"'),
        ("system", None),
    ):
        assert client.post("/theme/", {"theme": theme, "next": "/work/"})["Location"] == "/work/"
        shown = client.get("/work/").content.decode()
        assert (mark in shown) if mark else ("data-theme" not in shown)
    assert client.post("/theme/", {"theme": "dark", "next": "https://elsewhere.example/"})["Location"] == "/"


def test_the_sprite_holds_the_icons_that_pages_use_and_no_other():
    sprite = ElementTree.parse(HUB / "static/hub/icons.svg").getroot()
    held = {symbol.get("id") for symbol in sprite}
    written = "".join(one.read_text("utf-8") for one in TEMPLATES)
    python = "".join(one.read_text("utf-8") for one in HUB.glob("**/*.py"))
    used = set(
        re.findall(r'\{% icon "([a-z0-9-]+)"', written) + re.findall(r'nothing [^%]*sign="([a-z0-9-]+)"', written)
    )
    assert used <= held
    assert [name for name in held - used if f'"{name}"' not in python and not name.startswith("state-")] == []


def test_each_state_and_each_warning_has_a_shape_of_its_own():
    from pilotbase.hub.presenters.states import LOOK

    sprite = ElementTree.parse(HUB / "static/hub/icons.svg").getroot()
    shapes = {one.get("id"): ElementTree.tostring(one[0]) for one in sprite if one.get("id").startswith("state-")}
    assert set(shapes) == {f"state-{look}" for look in LOOK.values()} and len(shapes) == 12
    assert len(set(shapes.values())) == 12
