"""The messages that a user gets for a case of the corpus from the commands they use first, in order."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from unittest.mock import patch

from typer.testing import CliRunner, Result

from pilotbase.cli import app
from tests.corpus import messy_files_for_tests, messy_rows_for_tests
from tests.corpus.applications_for_tests import BrokenApplication
from tests.corpus.grading import Told
from tests.corpus.tables_for_tests import ANSWERS, MessyTable
from tests.sandbox.box.test_environments import wheel
from tests.trial.conftest import writing_scenario
from tests.trial.endpoints_for_tests import may_leave

__all__ = ["laid_bench", "messy_files_for_tests", "messy_rows_for_tests", "try_application", "try_table"]
"""The messy tables are registered where they are written."""


def try_table(table: MessyTable, place: Path, language: str = "en") -> Told:
    """Draft, examine and check a table; return the messages, one a line."""
    source, told = table.write(place), Told()
    answers = {**ANSWERS, **table.answers}
    if "--time" in answers:
        del answers["--group-or-time"]
    options = [part for option in answers.items() for part in option]
    scenario = place / "scenario"
    drafted = _run(language, "scenario", "new", "--from", source, "--out", scenario, *options)
    results = [drafted]
    if drafted.exit_code == 0:
        results += [_run(language, "scenario", command, scenario) for command in ("doctor", "check")]
    for result in results:
        told.take(result, [*result.stdout.splitlines(), result.stderr])
    return told


def try_application(application: BrokenApplication, bench: Path, place: Path, language: str = "en") -> Told:
    """Check an application, and rehearse it if that finds nothing; return the messages.

    ``bench``: the folder of `laid_bench`. What one command says of one application is one remark.
    """
    folder, told = place / "application", Told()
    with application.put(folder) or nullcontext():
        result = _run(language, "application", "check", folder)
        told.take(result, [result.output])
        if result.exit_code == 0:
            scenario = bench / ("hosted" if application.hosted else "scenario")
            result = _run(language, "trial", "rehearse", scenario, folder, "--out", place / "out")
            told.take(result, [result.output])
    return told


@contextmanager
def laid_bench(bench: Path) -> Iterator[Path]:
    """Write what rehearsals need into a folder: scenarios, a home, and an index with the package gamma."""
    for name, change in {"scenario": lambda content: content, "hosted": may_leave}.items():
        writing_scenario(bench)(rows=240, cases=50, name=name, change=change)
    (bench / "index").mkdir()
    (bench / "index" / "gamma-1.0-py3-none-any.whl").write_bytes(wheel("gamma"))
    settings = {
        "PILOTBASE_HOME": str(bench / "home"),
        "PILOTBASE_ENDPOINT_ALLOW": "127.0.0.1/32",
        **{"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(bench / "index")},
    }
    with patch.dict(os.environ, settings):
        yield bench


def _run(language: str, *arguments: object) -> Result:
    settings: Mapping[str, str] = {"PILOTBASE_LANGUAGE": language, "COLUMNS": "160"}
    return CliRunner(env=settings).invoke(app, [str(part) for part in arguments])
