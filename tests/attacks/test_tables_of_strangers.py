"""Tables that are made to break who reads them."""

import subprocess
import sys

import pytest

from tests.data.workbooks_for_tests import write_workbook

LAST = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
ADDRESS_SPACE = 8 << 30
ANSWERS = "p\ngrade\n" + "1\n" * 9


@pytest.mark.prove
@pytest.mark.parametrize(
    "command",
    [
        pytest.param(("data", "describe"), id="describe", marks=pytest.mark.prove),
        pytest.param(("scenario", "new", "--name", "x", "--from"), id="scenario"),
    ],
)
def test_a_sheet_that_asks_for_half_a_terabyte_is_refused_in_words(home, tmp_path, command):
    """Two cells, the first and the last: 1.4 kB, and who makes room for what is between them is ended."""
    file = tmp_path / "sheet.xlsx"
    write_workbook(file, [["torque", "grade"], [1, 2]], far=LAST)
    assert file.stat().st_size < 5000
    code = f"import resource; resource.setrlimit(resource.RLIMIT_AS, ({ADDRESS_SPACE}, {ADDRESS_SPACE})); "
    code += "from pilotbase.cli import main; main()"
    words = [sys.executable, "-c", code, *command, str(file)]
    done = subprocess.run(
        words, cwd=tmp_path, capture_output=True, text=True, timeout=120, input="p\ngrade\n" + "1\n" * 9
    )
    assert done.returncode == 2, done.stderr[-2000:]
    assert "5 cells are spread over 1048576 rows" in " ".join(done.stderr.split())
