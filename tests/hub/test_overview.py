"""The overview: the director sees what there is, each number leads to its records; nobody else sees the page."""

import re

import pytest

from pilotbase.catalogue.figures import set_targets
from pilotbase.catalogue.saving import save
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.permissions import Act
from pilotbase.documents.roadmap import Target
from pilotbase.workspace.jobs import WORKERS
from tests.catalogue.records_for_tests import COMMISSION, DESK, MACHINE, OWNER, REGULATOR, VISITOR, commission, scenario
from tests.hub.worlds_for_tests import world


@pytest.fixture(scope="module")
def busy(tmp_path_factory):
    """A certified trial, two further open scenarios, a proposal that nobody has answered."""
    with world(tmp_path_factory.mktemp("overview")) as made:
        trial = made.trial
        trial.reach("certified")
        for name, sector in (("pumps", "energy"), ("beds", "healthcare")):
            save(trial.store.as_actor(OWNER), scenario((), name=name, sector=sector))
            trial.do(OWNER, f"scenario:plant/{name}", Act.SCENARIO_SUBMIT)
            trial.do(DESK, f"scenario:plant/{name}", Act.SCENARIO_OPEN)
        targets = [
            Target(year=2026, figure="opened", number=4),
            Target(year=2026, figure="certified", sector="energy", number=2),
            Target(year=2027, figure="opened", number=900),
        ]
        set_targets(trial.store.as_actor(DESK), targets)
        yield made


@pytest.fixture(autouse=True)
def counted_anew(busy):
    from django.core.cache import cache

    cache.clear()


def page(made, path, who="desk", language="en"):
    return made.client(who, HTTP_ACCEPT_LANGUAGE=language).get(path).content.decode()


def test_every_number_of_the_overview_is_the_number_of_its_records(busy):
    shown = page(busy, "/overview/")
    links = re.findall(r'href="(/overview/records/[^"]+)"[^>]*>(?:<strong>)?(\w+ ?)?([\d,]+)?<', shown)
    found = {address.replace("&amp;", "&"): re.sub(r"\D", "", word + number) for address, word, number in links}
    assert found["/overview/records/open/"] == "3" and found["/overview/records/certified/"] == "1"
    assert found["/overview/records/opened/?sector=energy"] == "1"
    for address, number in found.items():
        rows = re.findall(r'<th scope="row"><a href="/(?:scenarios|trials)/', page(busy, address))
        assert len(rows) == int(number), address


def test_targets_of_the_year_stand_beside_what_was_reached(busy):
    shown = page(busy, "/overview/")
    table = shown[shown.index("Targets of 2026") :]
    assert re.findall(r"</span> (\d+ %)</td>", table)[:2] == ["0 %", "75 %"]
    assert "900" not in table
    address = re.search(r'href="(/overview/records/opened/\?year=2026[^"]*)"', table)[1].replace("&amp;", "&")
    assert page(busy, address).count('<th scope="row">') == 3


def test_targets_are_the_operators_alone(busy):
    store = busy.trial.store
    for who in (OWNER, REGULATOR, VISITOR):
        with pytest.raises(RefusedError):
            set_targets(store.as_actor(who), [Target(year=2026, figure="opened", number=1)])
    assert "Targets of 2026" in page(busy, "/overview/", "regulator")


def test_what_is_late_is_said_with_whose_turn_it_is(busy):
    trial = busy.trial
    trial.do(trial_supplier(), "commission:late", Act.COMMISSION_PROPOSE, commission(trial.scenario, trial.version))
    shown = page(busy, "/overview/late/")
    assert "/trials/late/" in shown and "Plant" in shown
    assert "2026-05-11" in shown
    assert "/trials/late/" in page(busy, "/overview/late/?act=commission.agree")
    assert "/trials/late/" not in page(busy, "/overview/late/?act=plan.draft")
    trial.do(OWNER, "commission:late", Act.COMMISSION_DECLINE)
    assert "/trials/late/" not in page(busy, "/overview/late/")


def trial_supplier():
    from tests.catalogue.records_for_tests import SUPPLIER

    return SUPPLIER


def test_the_queue_shows_what_is_ordered(busy):
    from pilotbase.workspace import jobs

    with busy.trial.store.as_actor(MACHINE).transaction("test.jobs") as change:
        jobs.enqueue(change, "rehearse", COMMISSION, {})
    assert re.search(r'id="queue".*?/trials/c1/">Rehearsal', page(busy, "/overview/"), re.S)


@pytest.mark.parametrize("ground", ["", "?ground=light"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_wall_renews_itself_without_inline_script(busy, ground, language):
    shown = page(busy, f"/overview/screen/{ground}", language=language)
    assert f'data-theme="{"light" if ground else "dark"}"' in shown
    assert f'hx-get="/overview/screen/{ground}" hx-trigger="sse:changed, every 60s"' in shown
    assert '<noscript><meta http-equiv="refresh" content="60"></noscript>' in shown
    assert len(re.findall("<svg[^>]*role", shown)) == 6 and not re.search(r"<script(?! src=)|style=", shown)
    part = busy.client("desk", HTTP_ACCEPT_LANGUAGE=language).get(f"/overview/screen/{ground}", HTTP_HX_REQUEST="true")
    assert part.content.decode().startswith('<main id="wall"')
    assert ("漏斗" in shown) == (language == "zh")


def test_the_cockpit_says_where_it_sticks_whose_turn_it_is_and_what_happens(busy):
    shown = page(busy, "/overview/")
    assert "takes longest" in shown and 'href="/ledger/steps/certified_served/open/"' in shown
    cohort = shown.partition('class="heat"')[2].partition("</table>")[0]
    cells = re.findall(r'shade-(\d)"><span>(\d)', cohort)
    assert len(cells) == 7 and cells[0][0] == "4" and cells[5][1] == "1" and cells[6] == ("0", "0")
    assert "Certificate issued" in shown.partition('id="events"')[2]
    part = busy.client("desk").get("/overview/", HTTP_HX_REQUEST="true").content.decode()
    assert part.startswith('<section class="card" id="events"') and "heat" not in part


def test_charts_say_their_numbers_in_words_too(busy):
    shown = page(busy, "/overview/")
    assert "Scenarios opened: 3; Trials agreed: 1; Verdicts: 1; Certified: 1" in shown


def test_the_queue_says_when_a_worker_was_last_heard_of(busy):
    busy.trial.store.as_actor(MACHINE).acquire(WORKERS, "a worker", 60)
    now = busy.trial.store.clock()
    assert f"A worker last reported {now:%Y-%m-%d %H:%M}" in page(busy, "/overview/").partition('id="queue"')[2]


@pytest.mark.parametrize("path", ["/overview/records/nothing/", "/overview/records/open/?after=scenario:a/b"])
def test_what_is_not_there_is_not_found(busy, path):
    assert busy.client("desk").get(path).status_code in (404, 422)


@pytest.mark.parametrize("asked", ["year=99999", "year=0000", "year=x", "sector=%3Cscript%3E", "year=2999"])
def test_odd_questions_are_answered_with_nothing_or_everything(busy, asked):
    answer = busy.client("desk").get(f"/overview/records/opened/?{asked}")
    assert answer.status_code == 200 and b"<script>" not in answer.content


def test_the_api_gives_the_same_figures(busy):
    told = busy.client("desk").get("/api/figures/overview").json()
    assert told["counts"]["opened"] == 3 and told["by_sector"]["energy"]["opened"] == 1
    assert {(one["figure"], one["sector"], one["number"], one["reached"]) for one in told["targets"]} == {
        ("opened", None, 4, 3),
        ("certified", "energy", 2, 0),
    }
    other = busy.client("other-owner").get("/api/figures/overview").json()
    assert other["counts"]["opened"] == 3 and other["counts"]["trials"] == other["queued"] == 0
    assert (other["targets"], other["days"], other["late"]) == ([], {}, 0)
    public = busy.client().get("/api/figures")
    assert public.json() == {
        "open_scenarios": 3,
        "days": {},
        "certificates": {"valid": 1, "suspended": 0, "expired": 0, "revoked": 0},
        "days_in_all": None,
        "prices": {},
        "fewest_trials": 5,
        "fewest_parties": 3,
    }
    assert busy.client().get("/api/figures", HTTP_IF_NONE_MATCH=public["ETag"]).status_code == 304
