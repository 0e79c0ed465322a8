"""What a supplier's folder may do to the base that takes it in."""

import inspect
import os
import stat
import sys

import pytest

from pilotbase.catalogue.folders import read_tree, store_tree
from pilotbase.documents.errors import InputError, PilotbaseError
from pilotbase.worker.trials.proving import rehearse_in
from tests.attacks.conftest import manifest, write_odd
from tests.trial.conftest import GOOD

SHADOWS = ("json", "os", "struct", "array", "traceback", "conftest", "sitecustomize", "usercustomize", "pilotbase")


@pytest.mark.parametrize("where", ["absolute", "relative"])
def test_requirements_reach_no_file_outside_the_folder(base, write_scenario, tmp_path, where):
    scenario = write_scenario(rows=100)
    kept = base.home.path / "applications" / "digest"
    secret = scenario / "cases.csv"
    path = secret if where == "absolute" else os.path.relpath(secret, kept)
    application = write_odd(tmp_path / "odd", manifest(extra=f"requirements: {path}\n"))
    with pytest.raises(PilotbaseError) as caught:
        rehearse_in(base, scenario, application)
    assert "broken" not in caught.value.render("en")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(manifest(version="1.0.0-" + "a" * 300), id="a version longer than a file name"),
        pytest.param(manifest(extra="resources: {threads: 100000000000000000000}\n"), id="threads beyond JSON"),
    ],
)
def test_a_manifest_beyond_bounds_is_the_suppliers_input_error(base, write_scenario, tmp_path, content):
    with pytest.raises(InputError):
        rehearse_in(base, write_scenario(rows=100), write_odd(tmp_path / "odd", content))


def no_utf8(folder):
    with open(os.fsencode(folder) + b"/\xff.txt", "w"):
        pass


def very_deep(folder):
    (folder / "/".join("d" * 200)).mkdir(parents=True)


@pytest.fixture
def little_stack():
    """A stack for 100 frames more: 200 folders then do what 1,000 do, and are easier to remove."""
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 100)
    yield
    sys.setrecursionlimit(usual)


@pytest.mark.parametrize("spoil", [no_utf8, very_deep])
def test_an_odd_tree_is_the_suppliers_input_error(tmp_path, spoil, request):
    application = write_odd(tmp_path / "odd", manifest())
    spoil(application)
    request.getfixturevalue("little_stack")
    with pytest.raises(InputError):
        assert read_tree(application).digest


def test_a_folder_of_links_is_refused_in_few_lines(tmp_path):
    application = write_odd(tmp_path / "odd", manifest())
    for number in range(6000):
        (application / f"link{number}").symlink_to("app.py")
    with pytest.raises(InputError) as caught:
        read_tree(application)
    assert len(caught.value.render("en").splitlines()) < 200


def test_a_file_swapped_for_a_link_lets_nothing_of_the_host_be_changed(tmp_path):
    application = write_odd(tmp_path / "odd", manifest())
    victim = tmp_path / "shadow"
    victim.write_text("root:*")
    victim.chmod(0o600)
    (application / "swap").write_text("root:*")
    tree = read_tree(application)
    (application / "swap").unlink()
    (application / "swap").symlink_to(victim)
    with pytest.raises(InputError):
        store_tree(tree, tmp_path / "store")
    assert stat.S_IMODE(victim.stat().st_mode) == 0o600


def test_a_rival_of_the_same_name_does_not_write_over_anothers_files(base, write_scenario, tmp_path):
    scenario = write_scenario(rows=100)
    places = [
        rehearse_in(base, scenario, write_odd(tmp_path / supplier, manifest("alarm", supplier))).folder
        for supplier in ("acme", "rival")
    ]
    assert places[0] != places[1]


def test_no_file_of_the_folder_stands_in_for_a_module_of_ours(base, write_scenario, tmp_path):
    application = write_odd(tmp_path / "odd", manifest())
    mark = tmp_path / "ran-on-the-host"
    for name in SHADOWS:
        (application / f"{name}.py").write_text(f"open({str(mark)!r}, 'w')\nraise SystemExit(9)\n")
    (application / "x.pth").write_text(f"import os; open({str(mark)!r}, 'w')\n")
    assert rehearse_in(base, write_scenario(rows=100), application).passed
    assert not mark.exists()


@pytest.mark.one_in(4)
@pytest.mark.parametrize("supplier", ["plant", "test-base", "pilot-base", "environments"])
def test_a_supplier_under_a_borrowed_name_gets_an_own_uid_and_nothing_else(base, write_scenario, tmp_path, supplier):
    rehearsed = rehearse_in(base, write_scenario(rows=100), write_odd(tmp_path / "odd", manifest("odd", supplier)))
    assert rehearsed.passed
    assert base.lab.view.counter("test-base/box-uids") == 1


@pytest.mark.parametrize("kind", ["fifo", "sparse", "link to a folder", "fifo for a manifest"])
def test_special_and_huge_files_are_refused_before_they_are_read(tmp_path, kind):
    application = write_odd(tmp_path / "odd", manifest())
    if kind == "fifo":
        os.mkfifo(application / "pipe")
    elif kind == "sparse":
        with (application / "weights").open("wb") as stream:
            stream.truncate(10 << 30)
    elif kind == "link to a folder":
        (application / "data").symlink_to("/etc")
    else:
        (application / "application.yaml").unlink()
        os.mkfifo(application / "application.yaml")
    with pytest.raises(InputError):
        read_tree(application)


def test_an_applications_words_do_not_steer_the_operators_terminal(pilotbase, write_scenario, tmp_path):
    program = "def predict(batch):\n    raise ValueError('\\x1b]0;owned\\x07')\n" + GOOD.replace("predict", "other")
    application = write_odd(tmp_path / "odd", manifest(), program)
    result = pilotbase("trial", "run", write_scenario(rows=100), application)
    assert result.exit_code == 5
    assert "owned" in result.output
    assert "\x1b" not in result.output
