"""A folder's lock: what is locked and why, and what is refused. pip answers from a report written here."""

import json
import subprocess

import pytest

from pilotbase.documents.errors import InputError, PilotbaseError
from pilotbase.sandbox.box import wheels
from tests.cli.test_command_line import run

VERSIONS = {"numpy": "2.0", "scipy": "1.9"}


@pytest.fixture
def pip(monkeypatch):
    """What pip is asked for; it resolves each name to a version of `VERSIONS`, or says what ``said`` holds."""
    asked, said = [], {}

    def answered(line, cwd, **_):
        asked[:] = (cwd / "requirements.txt").read_text().splitlines()
        assert not [word for word in line if "://" in word]
        if said:
            return subprocess.CompletedProcess(line, 1, "", said["stderr"])
        archive = {"archive_info": {"hashes": {"sha256": "ab" * 32}}}
        found = [
            {"metadata": {"name": name.title(), "version": version}, "download_info": archive}
            for name, version in sorted(VERSIONS.items(), reverse=True)
        ]
        (cwd / "report.json").write_text(json.dumps({"install": found}))
        return subprocess.CompletedProcess(line, 0, "", "")

    monkeypatch.setattr(wheels.subprocess, "run", answered)
    return asked, said


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "app.py").write_text("import json\nimport numpy as np\nfrom helper import one\n")
    (tmp_path / "app" / "helper.py").write_text("one = 1\n")
    return tmp_path / "app"


LINES = "".join(f"{name}=={version} --hash=sha256:{'ab' * 32}\n" for name, version in VERSIONS.items())


def test_it_locks_what_is_imported_at_the_version_installed_here(folder, pip):
    import numpy

    told = run("application", "lock", folder)
    assert told.exit_code == 0 and pip[0] == [f"numpy=={numpy.__version__}"]
    assert "numpy is imported in app.py, line 2" in told.stdout and "2 packages" in told.stdout
    assert (folder / "requirements.lock").read_text() == LINES
    assert "already locks these versions" in run("application", "lock", folder).stdout


def test_names_given_come_before_those_listed_and_those_before_imports(folder, pip):
    (folder / "requirements.in").write_text("# what it needs\nscipy>=1.2  # sums\n\n")
    assert "requirements.in, line 2" in run("application", "lock", folder).stdout and pip[0] == ["scipy>=1.2"]
    run("application", "lock", folder, "--package", "nosuch", "--package", "numpy[x]<3,>=2; python_version>'3'")
    assert pip[0] == ["nosuch", "numpy[x]<3,>=2; python_version>'3'"]


def test_another_lock_is_overwritten_only_on_demand(folder, pip):
    (folder / "requirements.lock").write_text(LINES.replace("2.0", "1.0"))
    told = run("application", "lock", folder)
    assert told.exit_code == 5 and "- numpy==1.0, + numpy==2.0" in told.stderr and "--yes" in told.stderr
    assert "numpy==1.0" in (folder / "requirements.lock").read_text()
    assert run("application", "lock", folder, "--yes").exit_code == 0
    assert (folder / "requirements.lock").read_text() == LINES


def test_a_lock_with_more_hashes_of_the_same_versions_stays(folder, pip):
    more = LINES.replace("\n", f" --hash=sha256:{'cd' * 32}\n")
    (folder / "requirements.lock").write_text(more)
    assert run("application", "lock", folder).exit_code == 0
    assert (folder / "requirements.lock").read_text() == more


def test_nothing_is_asked_where_nothing_is_imported(folder, pip):
    (folder / "app.py").write_text("import json\n")
    assert "empty" in run("application", "lock", folder).stdout
    assert (folder / "requirements.lock").read_bytes() == b"" and pip[0] == []


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("app.py", "import nosuchmodule\nimport other_one\n", ("app.py:1", "nosuchmodule", "app.py:2", "--package")),
        ("helper.py", "def (:\n", ("helper.py:1", "cannot parse it")),
        (
            "requirements.in",
            "numpy\n--index-url x\nsix @ https://a.example/b.whl\n-r b.txt\n./a.whl\n",
            [f"requirements.in:{line}" for line in (2, 3, 4, 5)],
        ),
        ("application.yaml", "document: nothing/1\n", ("application.yaml",)),
    ],
)
def test_every_problem_is_told_with_its_place(folder, pip, file, content, said):
    (folder / file).write_text(content)
    told = run("application", "lock", folder)
    assert told.exit_code == 2 and not [one for one in said if one not in told.stderr], told.stderr
    assert not (folder / "requirements.lock").exists() and pip[0] == []


@pytest.mark.parametrize("given", ["--index-url=x", "https://a.example/b.whl", "../a.whl", "a b", "numpy==2 --pre", ""])
def test_only_names_reach_pip(folder, pip, given):
    assert run("application", "lock", folder, f"--package={given}").exit_code == 2 and pip[0] == []


@pytest.mark.parametrize(
    ("stderr", "kind", "said"),
    [
        ("ERROR: No matching distribution found for numpy==9", InputError, "numpy==9"),
        (
            "WARNING: Retrying (Retry(total=4\nERROR: No matching distribution found for numpy",
            PilotbaseError,
            "No match",
        ),
        ("ERROR: Cannot install -r requirements.txt (line 1) and x\nERROR: ResolutionImpossible: x", InputError, "six"),
    ],
)
def test_what_pip_refuses_is_told_as_what_it_means(pip, stderr, kind, said):
    pip[1]["stderr"] = stderr
    with pytest.raises(PilotbaseError) as refused:
        wheels.resolve_wheels(["six==1"])
    assert type(refused.value) is kind and said in refused.value.render("en")
