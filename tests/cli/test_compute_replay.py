"""``pilotbase compute replay``: the morning of the page, what is written, and traces that cannot be played."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pilotbase.cli import app
from pilotbase.documents.quantities import format_span
from pilotbase.worker.base import open_base
from pilotbase_estate.backends.backend import MemberAttempt
from pilotbase_estate.documents.pool_replay import PoolReplay
from tests.estate.queue.queue_for_tests import Hall
from tests.estate.replay.traces_for_tests import PAGE, write_morning


def run(*words: object, language: str = "en") -> Result:
    return CliRunner().invoke(app, ["compute", "replay", *map(str, words)], env={"PILOTBASE_LANGUAGE": language})


def test_the_table_of_the_page_comes_out(tmp_path: Path) -> None:
    jobs, nodes = write_morning(tmp_path)
    policies = ("--policy", "fifo", "--policy", "drf", "--policy", "shared")
    done = run(jobs, "--nodes", nodes, *policies, "--out", tmp_path / "what-if")
    assert done.exit_code == 0, done.output
    found = PoolReplay.from_json_value(json.loads((tmp_path / "what-if" / "replay.json").read_text("utf-8")))
    rows = re.findall(
        r"^\| `(fifo|drf|shared)` \| ([^|]*) \| ([^|]*) \| (\d+) \| ([^|]*) \|$", PAGE.read_text("utf-8"), re.M
    )
    told = [
        (
            one.policy.value,
            format_span(one.organisations[0].waits.median),
            format_span(one.organisations[1].waits.longest),
            str(one.evictions),
            format_span(one.lost_seconds),
        )
        for one in found.policies
    ]
    assert rows == told
    assert (tmp_path / "what-if" / "replay.html").read_text("utf-8").startswith("<!doctype html>")
    assert re.search(r"Shared pool +(│ [^│]+){2}(│ +9 min +){3}", done.output), done.output
    assert "starts over" in done.output


def test_every_broken_row_is_told_and_none_is_played(tmp_path: Path) -> None:
    jobs, nodes = write_morning(tmp_path)
    written = jobs.read_text("utf-8")
    jobs.write_text(written + "x,plant,soon,1,1\n,plant,1,1,1\ny,plant,1,-1,1\nz,plant,1,1,-2\n", "utf-8")
    refused = run(jobs, "--nodes", nodes)
    assert refused.exit_code == 2
    assert [f"jobs.csv:{line} " in refused.output for line in (14, 15, 16, 17)] == [True] * 4
    skipped = run(jobs, "--nodes", nodes, "--skip-broken", "--policy", "fifo", language="zh")
    assert skipped.exit_code == 0
    assert "jobs.csv:14 " in skipped.output and "跳过了 4 个错误行" in skipped.output
    assert "12 个作业" in skipped.output


def test_the_document_is_printed(tmp_path: Path) -> None:
    jobs, nodes = write_morning(tmp_path)
    done = run(jobs, "--nodes", nodes, "--load", "2", "--policy", "drf", "--json")
    found = PoolReplay.from_json_value(json.loads(done.stdout))
    assert (found.trace.load, found.trace.span_seconds, len(found.policies)) == (2, 4500, 1)


def test_the_pool_that_is_considered_needs_no_nodes(tmp_path: Path) -> None:
    jobs, _ = write_morning(tmp_path)
    (tmp_path / "pool.yaml").write_text(
        "document: pool/1\nname: hall\ntitle: Hall\nmachines: [{name: node, count: 3, capacity: {cpu: 4}}]\n"
        "quotas: [{organisation: plant}, {organisation: lab}]\n",
        "utf-8",
    )
    done = run(jobs, "--pool", tmp_path / "pool.yaml", "--policy", "shared")
    assert done.exit_code == 0, done.output
    assert "12 jobs on 3 nodes" in done.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "either a file with jobs or --of"),
        (("jobs.csv",), "has no nodes"),
        (("jobs.csv", "--nodes", "nodes.csv", "--inflate"), "no GPUs"),
        (("jobs.csv", "--nodes", "nodes.csv", "--inflate", "--policy", "drf"), "decides which job is next"),
    ],
)
def test_what_cannot_be_asked_is_told(
    words: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_morning(tmp_path)
    monkeypatch.chdir(tmp_path)
    refused = run(*words)
    assert refused.exit_code == 2
    assert said in refused.output


def test_what_a_pool_of_the_base_has_run_is_played_and_written(tmp_path: Path) -> None:
    hall = Hall(open_base(create=True).lab.store)
    first, _ = hall.ask("mill", cpu=2), hall.ask("port", cpu=1)
    hall.dispatcher.turn()
    hall.backend.end(MemberAttempt(first, 1))
    hall.dispatcher.turn()
    played = run("--of", "shared", "--policy", "fifo", "--policy", "shared")
    assert played.exit_code == 0, played.output
    assert "1 job on 2 nodes" in played.output
    assert "This is the record of pool shared" in played.output and "1 unfinished job" in played.output
    out = tmp_path / "trace"
    written = CliRunner().invoke(app, ["compute", "trace", "shared", "--out", str(out)])
    assert written.exit_code == 0, written.output
    again = run(out / "jobs.csv", "--nodes", out / "nodes.csv", "--policy", "fifo", "--json")
    assert json.loads(again.stdout)["trace"]["jobs"] == 1
    assert run("--of", "shared", "--since", "2999-01-01").exit_code == 2
    assert run("jobs.csv", "--of", "shared").exit_code == 2
