"""``pilotbase organisation import``: what would happen, every problem at once, all of it or nothing."""

import pytest
from typer.testing import CliRunner

from pilotbase.catalogue.records import load_record
from pilotbase.cli import app
from pilotbase.worker.base import open_base
from pilotbase.workspace.failures import NotFoundError

HEAD = "name,title_en,title_zh,roles\n"


@pytest.fixture
def base(tmp_path, monkeypatch):
    monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / "home"))
    return open_base(create=True, name="base")


def run(*arguments, language="en"):
    result = CliRunner(env={"PILOTBASE_LANGUAGE": language}).invoke(
        app, ["organisation", "import", *map(str, arguments)]
    )
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_it_says_what_would_happen_and_does_it_when_told_to(base, tmp_path):
    file = tmp_path / "list.csv"
    file.write_text(f"{HEAD}river,River,江滨,demand_owner\nlake,Lake,,supplier\n")
    said = run(file)
    assert said.exit_code == 0 and "2 new, 0 changed, 0 unchanged" in said.stdout and "--yes" in said.stdout
    with pytest.raises(NotFoundError):
        load_record(base.lab.view, "organisation:river")
    assert "2 organisations imported." in run(file, "--yes").stdout
    assert load_record(base.lab.view, "organisation:river")[0].title.zh == "江滨"
    assert "已导入 0 家机构" in run(file, "--yes", language="zh").stdout


def test_every_problem_is_told_by_row_and_column_and_nothing_is_done(base, tmp_path):
    file = tmp_path / "list.csv"
    file.write_text(f"{HEAD}good,Good,,supplier\nBad Name,=1+1,,doctor\n")
    said = run(file, "--yes")
    assert said.exit_code == 2
    for part in (
        "list.csv:3 name: found Bad Name",
        "list.csv:3 title_en: found =1+1",
        "list.csv:3 roles: found doctor",
    ):
        assert part in said.stderr
    assert "实际为 doctor" in run(file, language="zh").stderr
    with pytest.raises(NotFoundError):
        load_record(base.lab.view, "organisation:good")
    assert run(tmp_path / "none.csv").exit_code == 2
