"""Intake of folders: what is copied, what is refused, and that no link put in meanwhile leads out."""

import os
from pathlib import Path

import pytest

from pilotbase.catalogue import folders
from pilotbase.catalogue.applications import read_application, read_delivered, store_application
from pilotbase.catalogue.folders import read_tree, store_tree
from pilotbase.documents.errors import InputError, InvalidProofError
from pilotbase.workspace.plain_files import NotPlainError, opened_file, read_at_most
from tests.trial.conftest import GOOD, MANIFEST, write_application

__all__ = ["write_application"]


def test_caches_are_not_copied_and_a_copy_that_holds_them_is_made_anew(write_application, tmp_path):
    folder = write_application()
    clean = read_tree(folder).digest
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "app.cpython-311.pyc").write_bytes(b"other code")
    (folder / "empty" / "inner").mkdir(parents=True)
    tree = read_tree(folder)
    assert tree.digest == clean
    assert tree.uncovered == ("__pycache__", "empty", "empty/inner")
    kept = store_tree(tree, tmp_path / "store")
    assert sorted(path.name for path in kept.rglob("*")) == ["app.py", "application.yaml"]
    (kept / "__pycache__").mkdir()
    assert store_tree(tree, tmp_path / "store") == kept
    assert not (kept / "__pycache__").exists()


def test_a_delivered_folder_is_refused_with_the_names_of_what_is_not_covered(write_application):
    folder = write_application()
    assert read_delivered(folder).digest == read_application(folder).digest
    (folder / "empty").mkdir()
    with pytest.raises(InvalidProofError, match="empty"):
        read_delivered(folder)


@pytest.mark.parametrize("path", ["/etc/shadow", "../other", "a/../../b", "./lock", "a//b", ".git/config", "a\nb", ""])
def test_requirements_name_a_plain_path(write_application, path):
    folder = write_application()
    (folder / "application.yaml").write_text(f"{MANIFEST.format(name='a', supplier='b')}requirements: {path!r}\n")
    with pytest.raises(InputError) as caught:
        read_application(folder)
    assert "requirements" in {issue.path for issue in caught.value.issues}


def test_a_lock_that_is_named_must_be_there_and_be_what_the_digest_covers(write_application, tmp_path):
    folder = write_application()
    manifest = folder / "application.yaml"
    manifest.write_text(f"{manifest.read_text()}requirements: locks/our.lock\n")
    with pytest.raises(InputError):
        read_application(folder)
    (folder / "locks").mkdir()
    (folder / "locks" / "our.lock").write_text("# nothing\n")
    submission = read_application(folder)
    assert store_application(submission, tmp_path / "store").lock == b"# nothing\n"
    (folder / "locks" / "our.lock").unlink()
    (folder / "locks" / "our.lock").symlink_to(manifest)
    with pytest.raises(InputError):
        assert submission.lock


def test_a_folder_swapped_for_a_link_leads_nowhere(tmp_path):
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    (inside / "sub").mkdir(parents=True)
    outside.mkdir()
    for place in (inside / "sub", outside):
        (place / "file").write_text("same")
    assert read_at_most(inside, "sub/file", 2) == b"sa"
    (inside / "sub" / "file").unlink()
    (inside / "sub").rmdir()
    (inside / "sub").symlink_to(outside)
    for name in ("sub/file", "../outside/file", "sub", ""):
        with pytest.raises(NotPlainError), opened_file(inside, name):
            pass


def test_a_pipe_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NotPlainError), opened_file(tmp_path, "pipe"):
        pass


def test_a_file_that_grows_while_it_is_copied_is_noticed(write_application, tmp_path):
    folder = write_application()
    tree = read_tree(folder)
    with (folder / "app.py").open("a") as stream:
        stream.write("# more\n" * 100)
    with pytest.raises(InputError):
        store_tree(tree, tmp_path / "store")
    assert list((tmp_path / "store").iterdir()) == []


def test_another_name_of_a_file_elsewhere_is_no_plain_file(write_application, tmp_path):
    """Whoever hands in a folder names what they may link, not what they may read or give away."""
    folder = write_application()
    (tmp_path / "elsewhere").write_text("of somebody else")
    (folder / "mine.txt").hardlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError) as caught:
        read_tree(folder)
    assert [(issue.path, issue.problem.code) for issue in caught.value.issues] == [("mine.txt", "catalogue.hard_link")]


def test_folders_count_too(write_application, monkeypatch):
    folder = write_application()
    monkeypatch.setattr(folders, "MAXIMUM_FILES", 20)
    for number in range(30):
        (folder / f"d{number}").mkdir()
    with pytest.raises(InputError):
        read_tree(folder)


def test_problems_are_listed_up_to_a_number(write_application):
    folder = write_application()
    for number in range(150):
        (folder / f"link{number}").symlink_to("app.py")
    with pytest.raises(InputError) as caught:
        read_tree(folder)
    assert len(caught.value.issues) == 101
    assert "50" in caught.value.issues[-1].problem.render("en")


def test_a_huge_program_is_not_read_for_the_name_of_its_function(write_application, monkeypatch):
    folder = write_application()
    with (folder / "app.py").open("wb") as stream:
        stream.truncate(64 << 20)
    monkeypatch.setattr(Path, "read_text", None)
    assert read_application(folder).tree.file("app.py").size == 64 << 20
    (folder / "app.py").write_text(GOOD.replace("predict", "other"))
    with pytest.raises(InputError):
        read_application(folder)
