"""The notebook of the examples, run from top to bottom."""

import json
import linecache
from pathlib import Path

import pytest

from tests.trial.conftest import home  # noqa: F401 - fixture

NOTEBOOK = Path(__file__).parents[2] / "examples" / "notebook" / "first_hour.ipynb"


@pytest.mark.prove
def test_the_notebook_runs_from_top_to_bottom(home, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__main__"}
    cells = [cell for cell in json.loads(NOTEBOOK.read_text())["cells"] if cell["cell_type"] == "code"]
    for number, cell in enumerate(cells):
        source, file = "".join(cell["source"]), f"<cell {number}>"
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)  # as IPython does
        exec(compile(source, file, "exec"), names)
    assert names["result"].verdict == names["result"].replay().verdict == "accept"
    assert (tmp_path / "pumps.kit.zip").is_file() and (tmp_path / "result" / "report.html").is_file()
