"""A supplier's kit: written by the owner, rehearsed in another home, and no hidden case in it."""

import hashlib
import http.server
import io
import json
import threading
import zipfile

import polars as pl
import pytest

from pilotbase.data.splits import split_cases
from pilotbase.documents.base import Step
from pilotbase.trial.scenario_folder import load_scenario, read_cases
from pilotbase.worker.archives import ArchiveEntry, write_archive
from pilotbase.worker.trials.kits import SAMPLE
from tests.cli.test_command_line import run
from tests.trial.arena import agents
from tests.trial.conftest import home, write_application, write_scenario  # noqa: F401 - fixtures

BY_SITE = "  - {rule: worst(recall(broken) by site) >= 0.6}\n"


@pytest.fixture
def scenario(home, write_scenario):  # noqa: F811
    return write_scenario(change=lambda content: content.replace("trial:\n", f"{BY_SITE}trial:\n"))


@pytest.fixture
def kit(scenario, tmp_path):
    file = tmp_path / "alarm.kit.zip"
    told = run("scenario", "kit", scenario, "--out", file)
    assert told.exit_code == 0 and str(file) in told.stdout, told.stderr
    return file


def test_a_rehearsal_elsewhere_scores_as_one_at_the_owners(
    kit,
    scenario,
    write_application,  # noqa: F811
    tmp_path,
    monkeypatch,
):
    good = write_application()
    told = {}
    for home_of, what in (("home", scenario), ("elsewhere", kit)):
        monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / home_of))
        done = run("trial", "rehearse", what, good, "--out", tmp_path / f"out-{home_of}", "--json")
        assert done.exit_code == 0, done.stderr
        told[home_of] = json.loads(done.stdout)
    owner, supplier = told["home"], told["elsewhere"]
    scored = [
        {one["rule"]: one["estimate"] for one in report["criteria"] if "memory" not in one["rule"]}
        for report in (owner, supplier)
    ]
    assert scored[0] == scored[1]
    assert len(scored[0]) == 3 and owner["groups"] == supplier["groups"] != []

    assert run("application", "new", kit, "--out", tmp_path / "begun").exit_code == 0
    assert pl.read_csv(tmp_path / "begun-sample.csv").columns == ["pressure", "age", "site", "failure"]
    proof = run("trial", "run", kit, good)
    assert proof.exit_code == 5 and "holds no hidden case" in proof.stderr
    assert "不含隐藏案例" in run("trial", "freeze", kit, good, language="zh").stderr


@pytest.fixture
def published(tmp_path):
    """A web server on this machine: what it holds at each path, and what it was asked."""
    held, asked = {}, []

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            content = held.get(self.path)
            mark = f'"{hashlib.sha256(content or b"").hexdigest()}"'
            same = self.headers["If-None-Match"] == mark
            asked.append((self.path, same))
            self.send_response(404 if content is None else 304 if same else 200)
            self.send_header("ETag", mark)
            self.end_headers()
            self.wfile.write(b"" if same else content or b"")

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", held, asked
        server.shutdown()


def test_a_kit_at_an_address_is_fetched_once_and_its_digest_is_shown(kit, published, tmp_path, monkeypatch):
    address, held, asked = published
    held["/alarm/kit"] = kit.read_bytes()
    monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / "elsewhere"))
    for name in ("first", "second"):
        begun = run("application", "new", f"{address}/alarm/kit", "--out", tmp_path / name)
        assert begun.exit_code == 0, begun.stderr
        assert hashlib.sha256(kit.read_bytes()).hexdigest() in begun.stderr
    assert asked == [("/alarm/kit", False), ("/alarm/kit", True)]
    assert (tmp_path / "first-sample.csv").read_bytes() == (tmp_path / "second-sample.csv").read_bytes()


def test_what_is_no_kit_at_an_address_is_refused(kit, published, tmp_path, monkeypatch):
    address, held, _ = published
    held["/page"], held["/large"] = b"<html>sign in</html>", kit.read_bytes()
    monkeypatch.setattr("pilotbase.worker.intake.public_kits.MOST_FETCHED", 1000)
    for path, says in (("/page", "neither"), ("/gone", "no kit at"), ("/large", "larger than 1000 bytes")):
        told = run("trial", "rehearse", address + path, tmp_path)
        assert told.exit_code == 2 and says in told.stderr


def test_it_holds_the_public_cases_without_their_names_and_no_hidden_one(kit, scenario):
    document, folder = load_scenario(scenario, Step.REHEARSE)
    split = split_cases(read_cases(document, folder), document)
    with zipfile.ZipFile(kit) as archive:
        assert archive.namelist() == ["README.md", "kit.json", "sample.parquet"]
        assert "6 in all, shared by all suppliers" in archive.read("README.md").decode()
        sample = pl.read_parquet(io.BytesIO(archive.read(SAMPLE)))
        everything = b"".join(archive.read(name) for name in archive.namelist())
    columns = ["pressure", "age", "site", "failure"]
    assert sample.equals(split.public.select(columns))
    assert sample.join(split.hidden, on=columns).is_empty()
    assert not [name for name in split.hidden["case_id"].to_list() if f'"{name}"'.encode() in everything]


def test_a_rehearsal_with_a_kit_opens_no_trial(kit, scenario, write_application, tmp_path):  # noqa: F811
    """Even where both meet in one base: whoever packs a kit chooses its cases."""
    good = write_application()
    assert run("trial", "rehearse", kit, good).exit_code == 0
    assert run("trial", "freeze", scenario, good, "--out", tmp_path / "frozen").exit_code == 0
    assert (tmp_path / "frozen" / "rehearsal" / "report.json").is_file(), "it was rehearsed anew"


def test_what_is_changed_is_refused(kit, write_application, tmp_path):  # noqa: F811
    with zipfile.ZipFile(kit) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    other = pl.read_parquet(io.BytesIO(members[SAMPLE])).reverse()
    other.write_parquet(changed := io.BytesIO())
    write_archive(
        kit, [ArchiveEntry(name, content) for name, content in {**members, SAMPLE: changed.getvalue()}.items()]
    )
    told = run("trial", "rehearse", kit, write_application())
    assert told.exit_code != 0 and "sample.parquet" in told.stderr and "Traceback" not in told.stderr
    with zipfile.ZipFile(tmp_path / "other.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("scenario.yaml", "document: scenario/1")
    told = run("application", "new", tmp_path / "other.zip", "--out", tmp_path / "none")
    assert told.exit_code == 2 and "neither a scenario's folder nor its kit" in told.stderr


def test_what_may_not_be_given_to_everyone_is_not_packed(home, write_scenario, write_application, tmp_path):  # noqa: F811
    folder = write_scenario(
        change=lambda content: content.replace(
            "baseline: {kind: rule, rule: pressure > 8}", "baseline: {kind: application, path: reference}"
        )
    )
    write_application().rename(folder / "reference")
    told = run("scenario", "kit", folder, "--out", tmp_path / "none.zip")
    assert told.exit_code == 5 and "is an application" in told.stderr and not (tmp_path / "none.zip").exists()


def test_a_kit_of_a_world_plays_its_practice_episodes_and_holds_nothing_sealed(home, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setattr("pilotbase.trial.cases_to_seal.require_sound", lambda lab, kept: None)
    scenario, file = agents.write_scenario(tmp_path, cases=2, hidden=2), tmp_path / "carry.kit.zip"
    told = run("scenario", "kit", scenario, "--out", file)
    assert told.exit_code == 5 and "sealed/templates.py" in told.stderr, "its sealed template stands in world.py"
    (scenario / "world" / "sealed").mkdir()
    (scenario / "world" / "sealed" / "templates.py").write_text("TEMPLATES = {'fetch': None}")
    assert run("scenario", "kit", scenario, "--out", file).exit_code == 0
    with zipfile.ZipFile(file) as archive:
        assert "world/world.py" in archive.namelist() and "world/sealed/templates.py" not in archive.namelist()
        assert "fetch" not in archive.read("world/world.yaml").decode()
    monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / "elsewhere"))
    begun = run("application", "new", file, "--out", tmp_path / "begun")
    assert begun.exit_code == 0 and "sealed" not in begun.stdout
    assert "move(" in (tmp_path / "begun" / "app.py").read_text("utf-8"), "the tools stand in the program"
    assert (tmp_path / "begun-world" / "world.py").is_file()
    for application, reached in ((tmp_path / "begun", 0.0), (agents.write_agent(tmp_path), 1.0)):
        told = run("trial", "rehearse", file, application, "--out", tmp_path / application.name, "--json")
        assert json.loads(told.stdout)["criteria"][0]["estimate"] == reached, told.stderr
    refused = run("application", "new", scenario, "--out", tmp_path / "other", "--runtime", "onnx")
    assert refused.exit_code == 2 and not (tmp_path / "other").exists() and not (tmp_path / "other-world").exists()
