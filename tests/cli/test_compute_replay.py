"""``pilotbase compute replay``: the morning of the page, what is written, and traces that cannot be played."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pilotbase.cli import app
from pilotbase.documents.pool_replay import PoolReplay
from tests.compute.replay.traces_for_tests import PAGE, write_morning


def run(*words: object, language: str = "en") -> Result:
    return CliRunner().invoke(app, ["compute", "replay", *map(str, words)], env={"PILOTBASE_LANGUAGE": language})


def test_the_table_of_the_page_comes_out(tmp_path: Path) -> None:
    jobs, nodes = write_morning(tmp_path)
    policies = ("--policy", "fifo", "--policy", "drf", "--policy", "shared")
    done = run(jobs, "--nodes", nodes, *policies, "--out", tmp_path / "what-if")
    assert done.exit_code == 0, done.output
    found = PoolReplay.from_json_value(json.loads((tmp_path / "what-if" / "replay.json").read_text("utf-8")))
    from pilotbase.documents.quantities import spell_span

    rows = re.findall(
        r"^\| `(fifo|drf|shared)` \| ([^|]*) \| ([^|]*) \| (\d+) \| ([^|]*) \|$", PAGE.read_text("utf-8"), re.M
    )
    told = [
        (
            one.policy.value,
            spell_span(one.organisations[0].waits.median),
            spell_span(one.organisations[1].waits.longest),
            str(one.evictions),
            spell_span(one.lost_seconds),
        )
        for one in found.policies
    ]
    assert rows == told
    assert (tmp_path / "what-if" / "replay.html").read_text("utf-8").startswith("<!doctype html>")
    assert "Shared pool" in done.output and "9 min · 9 min · 9 min" in done.output
    assert "begins anew" in done.output


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
        ((), "either a file of jobs or --of"),
        (("jobs.csv",), "needs nodes"),
        (("jobs.csv", "--nodes", "nodes.csv", "--inflate"), "no GPUs"),
        (("jobs.csv", "--nodes", "nodes.csv", "--inflate", "--policy", "drf"), "says who is next"),
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
