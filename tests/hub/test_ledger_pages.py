"""The ledger in the browser and over the API: each number is a link to exactly its records; both languages."""

import json
import re
from itertools import product

import pytest
from typer.testing import CliRunner

from pilotbase.catalogue.figures import set_targets
from pilotbase.catalogue.saving import save
from pilotbase.cli import app
from pilotbase.documents.permissions import Act
from pilotbase.documents.roadmap import Target
from pilotbase.documents.vocabularies import Colour, ServingState
from tests.catalogue.records_for_tests import DESK, NOW, OTHER_OWNER, OWNER, scenario
from tests.hub.live_for_tests import listening, token_of
from tests.hub.worlds_for_tests import world
from tests.quick_cases import covering
from tests.roadmap.services_for_tests import admit, stand, warn

WORTHS = {"pumps": (5, 2, 2), "beds": (2, 5, 2), "wards": (2, 5, 2)}


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    """A certified trial in use that was warned of, three rated scenarios, one of another owner, targets."""
    with world(tmp_path_factory.mktemp("ledger")) as made:
        trial = made.trial
        trial.reach("certified")
        admit(trial, title="=HYPERLINK(1)")
        stand(trial.store, ServingState.SERVING, NOW)
        warn(trial.store, Colour.RED, NOW)
        for name, (potential, maturity, driving_effect) in WORTHS.items():
            value = {"potential": potential, "maturity": maturity, "driving_effect": driving_effect}
            save(trial.store.as_actor(OWNER), scenario((), name=name, value=value, supports=["talent"]))
            trial.do(OWNER, f"scenario:plant/{name}", Act.SCENARIO_SUBMIT)
            trial.do(DESK, f"scenario:plant/{name}", Act.SCENARIO_OPEN)
        other = scenario((), name="xray", owner={"organisation": "hospital"})
        save(trial.store.as_actor(OTHER_OWNER), other)
        targets = [
            Target(year=2026, figure="certified", number=4),
            Target(year=2027, figure="certified", sector="energy", number=6),
        ]
        set_targets(trial.store.as_actor(DESK), targets)
        yield made


def page(made, path, who="desk", language="en"):
    answer = made.client(who, HTTP_ACCEPT_LANGUAGE=language).get(path)
    assert answer.status_code == 200, path
    return answer.content.decode()


def numbers(shown):
    """Return address → number, for every number of the ledger that is a link."""
    found = re.findall(r'<a href="(/ledger/(?:records|steps)/[^"]+)">([\d,]+)</a>', shown)
    return {address.replace("&amp;", "&"): int(number.replace(",", "")) for address, number in found}


@pytest.mark.one_in(7)
@pytest.mark.parametrize(
    ("path", "who"), covering(product(["/ledger/", "/ledger/map/"], ["desk", "owner", "other-owner", "regulator"]))
)
def test_every_number_is_the_number_of_its_records(walked, path, who):
    from django.core.cache import cache

    cache.clear()
    found = numbers(page(walked, path, who))
    if path == "/ledger/":
        expected = {"desk": 4, "regulator": 4, "owner": 4, "other-owner": 0}
        assert found["/ledger/records/opened/"] == expected[who]
        assert found["/ledger/records/warned/"] == found["/ledger/records/in_use/"] == (who != "other-owner")
        assert found["/ledger/steps/demanded_opened/open/"] == {"owner": 0}.get(who, 1)
        assert ('href="/services/mill-watch/"' in page(walked, "/ledger/records/in_use/", who)) == (
            who != "other-owner"
        )
    for address, number in found.items():
        assert page(walked, address, who).count('<th scope="row">') == number, address


def test_targets_stand_beside_counts_by_year_and_phase_for_the_base_alone(walked):
    shown = page(walked, "/ledger/")
    assert "Targets of 2026" in shown and ">25 %<" in shown and "Phase 1, to 2027" in shown
    assert "Phase 1" not in page(walked, "/ledger/", "owner")


def test_the_ranking_says_weights_ties_and_flips(walked):
    shown = page(walked, "/ledger/ranking/?potential=1&maturity=1&driving_effect=1&top=2")
    rows = re.findall(r'<th scope="row" class="number">(\d+)</th>', shown)
    assert rows == ["1", "1"]
    assert "1 scenario has no rank" in shown
    shared = page(walked, "/ledger/ranking/?driving=shown")
    assert "skill: classes, manufacturing" in shared and 'value="shown" selected' in shared
    assert "potential 2, maturity 5, driving effect 2: 2 scenarios" in shown and "Take up first" in shown
    tilted = page(walked, "/ledger/ranking/?potential=2&maturity=1&driving_effect=1&top=1")
    assert re.findall(r'<th scope="row" class="number">(\d+)</th>', tilted) == ["1", "2"]
    assert "The top 1 stay the same until 12.5 % of the weight moves." in tilted
    rung = re.search(r'href="(/ledger/ranking/2-5-2/)\?driving=stated&amp;potential_by=stated"', tilted)[1]
    assert page(walked, rung).count('<th scope="row">') == 2


@pytest.mark.parametrize("asked", ["potential=0&maturity=0&driving_effect=0"])
def test_weights_of_nothing_are_refused_with_a_reason(walked, asked):
    answer = walked.client("desk").get(f"/ledger/ranking/?{asked}")
    assert answer.status_code == 422 and "not all 0" in answer.content.decode()


@pytest.mark.parametrize("asked", ["potential=x&top=-3&within=999", "top=99999999999", "after=nothing"])
def test_what_cannot_be_read_falls_back_to_its_default(walked, asked):
    assert "Ranking of scenarios" in page(walked, f"/ledger/ranking/?{asked}")


def test_pages_speak_chinese_and_hold_no_style_or_script(walked):
    for path, words in (
        ("/ledger/", "各环节天数"),
        ("/ledger/map/", "行动与支撑图谱"),
        ("/ledger/ranking/", "场景排序"),
    ):
        shown = page(walked, path, language="zh")
        assert words in shown and not re.search(r"<script(?! src=)|style=", shown)


def test_the_map_shows_every_cell_and_how_many_are_empty(walked):
    shown = page(walked, "/ledger/map/")
    assert "47 of 48 cells are empty." in shown
    table = shown[shown.index("<tbody>") :]
    assert table.count("<tr>") == 6 and table.count("<td") == 6 * 9
    assert '?action=industry&amp;support=talent">3</a>' in table


@pytest.mark.parametrize("name", ["ledger", "map", "ranking"])
def test_a_download_opens_in_a_spreadsheet_and_computes_nothing(walked, name):
    body = walked.client("desk").get(f"/ledger/{name}.csv").content.decode("utf-8-sig")
    lines = body.splitlines()
    assert len(lines) > 2 and not any(cell.startswith(("=", "+", "@")) for line in lines for cell in line.split(","))


def test_the_api_tells_the_same(walked):
    client = walked.client("desk")
    told = client.get("/api/ledger").json()
    shown = numbers(page(walked, "/ledger/"))
    assert {name: shown[f"/ledger/records/{name}/"] for name in told["counts"]} == told["counts"]
    found = client.get("/api/ledger/records/opened?action=industry&support=talent&limit=2").json()
    assert found["total"] == 3 and len(found["items"]) == 2 and found["next"]
    on = client.get("/api/ledger/steps/demanded_opened/taken").json()
    assert on["total"] == next(one["taken"] for one in told["spans"] if one["step"] == "demanded_opened")
    cells = client.get("/api/ledger/map").json()["cells"]
    assert len(cells) == 7 * 9 and sum(cell["opened"] for cell in cells) == 4
    ranking = client.get("/api/ledger/ranking?potential=2&top=1").json()
    assert ranking["top_holds_for"] == 0.125 and [one["rank"] for one in ranking["rungs"]] == [1, 2]
    assert client.get("/api/ledger/steps/nothing/open").status_code == 422
    assert client.get("/api/ledger/ranking?potential=101").status_code == 422


def test_the_command_line_reads_the_same_from_the_hub(walked):
    with listening(walked) as address:

        def run(*words, who="desk", language="en", code=0):
            options = ["--hub", address, "--token", token_of(walked, who), "roadmap", *words]
            answer = CliRunner().invoke(app, options, env={"PILOTBASE_LANGUAGE": language})
            assert answer.exit_code == code, answer.output
            return answer.output

        assert "Scenarios opened: So far 4; 2026 4" in run("ledger")
        assert "已开放场景" in run("map", language="zh")
        assert "The top 1 stay the same until 12.5 %" in run("rank", "--potential", "2", "--top", "1")
        assert '"owner": "plant"' in run("ledger", "--json", who="owner")
        assert run("map", "--csv").startswith("\ufeffAction,Support")
        assert "no access to a ledger" in run("ledger", who="supplier", code=2)


@pytest.fixture(scope="module")
def closed(walked):
    """The same base, whose second quarter of 2026 the operator has closed on the page."""
    answer = walked.client("desk").post("/ledger/periods/", {"period": "2026-Q2", "offset": "+08:00", "staff": "12"})
    assert answer.status_code == 302 and answer["Location"] == "/ledger/periods/2026-Q2/"
    return walked


def test_an_official_reads_a_period_report_down_to_one_trials_record(closed):
    shown = page(closed, "/ledger/periods/", "regulator")
    report = page(closed, re.search(r'href="(/ledger/periods/2026-Q2/)"', shown)[1], "regulator")
    assert "2026-04-01 00:00 +08:00 (2026-03-31 16:00 UTC)" in report and "stated by the operator" in report
    figure = re.search(r'href="(/ledger/periods/2026-Q2/figures/certified/)">1<', report)[1]
    behind = page(closed, figure, "regulator")
    assert page(closed, re.search(r'href="(/trials/c1/)"', behind)[1], "regulator")


def test_every_number_of_a_report_is_the_number_of_its_records(closed):
    report = page(closed, "/ledger/periods/2026-Q2/")
    found = re.findall(r'<a href="(/ledger/periods/2026-Q2/figures/([a-z_]+)/[^"]*)">([\d,–]+)</a>', report)
    assert len(found) > 20
    for address, figure, number in found:
        if figure not in {"owners", "suppliers", "serving_suppliers", "days_to_certificate"}:
            assert page(closed, address).count('<th scope="row">') == int(number), address


def test_a_report_is_taken_in_three_forms_that_name_one_digest(closed, tmp_path):
    import fastexcel

    files = {
        form: closed.client("desk").get(f"/ledger/periods/2026-Q2/report.{form}") for form in ("json", "xlsx", "html")
    }
    digest = closed.client("desk").get("/api/periods").json()[0]["digest"]
    assert digest in files["html"].content.decode()
    book = fastexcel.read_excel(files["xlsx"].content)
    sheets = [book.load_sheet(name, header_row=None).to_polars() for name in book.sheet_names]
    assert digest in {cell for row in sheets[0].rows() for cell in row}
    assert "commission:c1" in {row[0] for row in sheets[-1].rows()}
    kept = tmp_path / "report.json"
    kept.write_bytes(files["json"].content)
    told = CliRunner().invoke(app, ["report", "verify", str(kept)])
    assert told.exit_code == 0 and digest in told.stdout and "every one agrees" in told.stdout
    kept.write_bytes(files["json"].content.replace(b'"in_period":1', b'"in_period":2', 1))
    told = CliRunner().invoke(app, ["report", "verify", str(kept)])
    assert told.exit_code == 3 and "its records give" in told.stderr
    assert closed.client("desk").get("/ledger/periods/2026-Q2/report.exe").status_code == 404


def test_a_second_person_signs_the_report_on_its_page(closed):
    refused = closed.client("desk").post("/ledger/periods/2026-Q2/sign/", follow=True).content.decode()
    assert "another person signs it" in refused
    assert closed.client("regulator").post("/ledger/periods/2026-Q2/sign/").status_code == 404
    assert closed.client("planner").post("/ledger/periods/2026-Q2/sign/").status_code == 302
    assert "signed by a second person" in closed.client().get("/figures/").content.decode()


def test_everybody_finds_the_digest_of_a_closed_period(closed):
    digest = closed.client("desk").get("/api/periods").json()[0]["digest"]
    answer = closed.client().get("/figures/", HTTP_ACCEPT_LANGUAGE="zh")
    assert digest in answer.content.decode() and "期报" in answer.content.decode()


def test_an_open_period_is_refused_beside_its_field(closed):
    answer = closed.client("desk").post("/ledger/periods/", {"period": "2099", "offset": "+08:00"})
    assert answer.status_code == 200 and "still open" in answer.content.decode()
    assert closed.client("desk").post("/ledger/periods/", {"period": "Q3", "offset": "+08:00"}).status_code == 200
    assert closed.client("regulator").post("/ledger/periods/", {"period": "2026-04"}).status_code == 404


def test_a_report_is_driven_from_the_command_line(closed, tmp_path):
    with listening(closed) as address:

        def run(*words, code=0):
            options = ["--hub", address, "--token", token_of(closed, "desk"), "report", *map(str, words)]
            answer = CliRunner().invoke(app, options, env={"PILOTBASE_LANGUAGE": "en"})
            assert answer.exit_code == code, answer.output
            return answer.output

        assert "2026-Q2" in run("list")
        shown = run("show", "2026-Q2")
        assert "Scenarios opened" in shown and "2026-06-30 16:00 UTC" in shown
        for ending in ("json", "xlsx", "html"):
            run("save", "2026-Q2", tmp_path / f"r.{ending}")
        assert "This base closed 2026-Q2 with this report." in run("compare", tmp_path / "r.json")
        run("save", "2026-Q2", "r.doc", code=2)


def test_a_clause_leads_to_the_records_that_show_it(walked):
    shown = page(walked, "/ledger/clauses/", "regulator")
    assert "Shown" in shown and "No record kept" in shown
    assert page(walked, re.search(r'href="(/ledger/records/certified/)"', shown)[1], "regulator").count("<tr>") == 2
    assert "政策要求" in page(walked, "/ledger/clauses/", language="zh")


@pytest.fixture(scope="module")
def built(walked):
    """The same base, which keeps the folder of the certified application, with a lock file."""
    from pilotbase.catalogue.folders import kept_folder
    from pilotbase.hub.base import base

    trial = walked.trial
    folder = kept_folder(base().lab.applications, trial.version.folder)
    folder.mkdir(parents=True)
    (folder / "requirements.lock").write_text(f"numpy==1.26.1 --hash=sha256:{'0' * 64}\n")
    return walked


def advisory(name="numpy"):
    events = [{"introduced": "0"}, {"fixed": "1.26.2"}]
    ranges = [{"type": "ECOSYSTEM", "events": events}]
    return json.dumps({"id": "OSV-1", "affected": [{"package": {"ecosystem": "PyPI", "name": name}, "ranges": ranges}]})


def test_an_advisory_leads_to_versions_certificates_and_services(built):
    shown = page(built, "/components/", "regulator")
    assert "numpy" in shown and "1.26.1" in shown
    answer = built.client("desk").post("/components/", {"advisory": advisory()})
    met = answer.content.decode()
    assert "acme/forest 1.0.0" in met and 'href="/services/mill-watch/"' in met
    told = built.client("desk").post("/api/advisories", advisory(), "application/json").json()
    assert [one["service"] for one in told["services"]] == ["mill-watch"] and not told["unknown"]
    assert [one["component"] for one in told["versions"]] == ["numpy"]
    (statement,) = told["openvex"]["statements"]
    assert statement["status"] == "under_investigation"
    unknown = built.client("desk").post("/components/", {"advisory": advisory("torch")}, HTTP_ACCEPT_LANGUAGE="zh")
    assert "本基地没有应用使用：torch" in unknown.content.decode()
    refused = built.client("desk").post("/components/", {"advisory": "{}"})
    assert refused.status_code == 200 and "no advisory" in refused.content.decode()


def newest_change(view):
    """Return the number of the newest change."""
    return max((one.sequence for one in view.changes(0, 100_000)), default=0)


def test_a_kept_advisory_notifies_each_owner_and_supplier_once(built):
    from pilotbase.worker.advisories import of_advisories

    store, sent = built.trial.store, advisory().replace("OSV-1", "OSV-2")
    view = store.as_actor(DESK)
    told = []
    for _ in range(2):
        before = newest_change(view)
        answer = built.client("desk").post("/components/", {"advisory": sent, "tell": "yes"})
        assert answer.status_code == 200 and "OSV-2" in answer.content.decode()
        told += of_advisories(view, view.changes(before, 100))
    assert {(one.address.organisation, one.subject) for one in told} == {
        ("plant", "service:mill-watch"),
        ("acme", "application:acme/forest"),
    }
    assert len(told) == 2 and all("numpy 1.26.1" in one.body.said.render("en") for one in told)
    (kept,) = built.client("regulator").get("/api/advisories").json()
    assert sorted(kept["told"]) == ["acme", "plant"] and kept["versions"] == 1
    found = {one["name"]: one for one in built.client("desk").get("/api/components").json()}
    assert found["numpy"]["advisories"] == ["OSV-2"]
    shown = page(built, "/components/", language="zh")
    assert "受影响：OSV-2" in shown and "谁在用什么" in shown and "mill-watch" in shown
    assert built.client("owner").post("/api/advisories/kept", sent, "application/json").status_code == 403


def test_a_kept_advisory_on_something_unknown_says_so(built):
    sent = advisory("torch").replace("OSV-1", "OSV-3")
    told = built.client("desk").post("/api/advisories/kept", sent, "application/json").json()
    assert told["unknown"] == ["torch"] and told["concerns"] == [] and told["told_at"]


def test_an_advisory_is_asked_about_from_the_command_line(built, tmp_path):
    file, statement = tmp_path / "advisory.json", tmp_path / "vex.json"
    file.write_text(advisory())
    with listening(built) as address:
        options = ["--hub", address, "--token", token_of(built, "desk"), "certificate"]
        told = CliRunner().invoke(app, [*options, "advisory", str(file), "--vex", str(statement)])
        assert told.exit_code == 0 and "acme/forest 1.0.0 has numpy 1.26.1." in told.output, told.output
        assert "Service mill-watch of plant" in told.output
        assert json.loads(statement.read_text())["statements"]
        assert "numpy 1.26.1: 1 supplier" in CliRunner().invoke(app, [*options, "components"]).output
