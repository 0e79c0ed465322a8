"""Files for a standard are read in a box: it tells what the readers tell, and a broken reader harms nobody."""

import os
from pathlib import Path

import pytest

from pilotbase.documents.errors import InputError
from pilotbase.sandbox.box import own_functions
from pilotbase.standards.ai_labels.checking import check_file
from pilotbase.worker.intake import standard_checks
from pilotbase.worker.intake.standard_checks import check_answers_for_keywords, check_labels, check_two_reviewers
from tests.standards import label_files as made


@pytest.fixture
def media(tmp_path) -> Path:
    """A folder with files of one name in two places, one of them nobody else may read."""
    folder = tmp_path / "media"
    for place, content in (("a", made.png_text(made.SOUND)), ("b", made.WITHOUT["plain.png"])):
        (folder / place).mkdir(parents=True)
        (folder / place / "one.png").write_bytes(content)
    (folder / "b" / "one.png").chmod(0o600)
    return folder


def test_a_box_tells_what_the_readers_tell_and_leaves_the_files_as_they_were(media):
    before = {path: path.stat().st_mode for path in media.rglob("*")}
    files, records = check_labels([media])
    assert list(files) == [check_file(media / name, name) for name in ("a/one.png", "b/one.png")]
    assert [one.implicit for one in files] == ["present", "absent"] and records[0].passed == 1
    assert {path: path.stat().st_mode for path in media.rglob("*")} == before


def test_the_readers_are_called_nowhere_else(media, monkeypatch, tmp_path):
    def refuse(call, model):
        raise call.broken

    monkeypatch.setattr(standard_checks, "call_in_box", refuse)
    (tmp_path / "answers.csv").write_text("answer\nfine\n")
    (tmp_path / "words.txt").write_text("bomb\n")
    for ask in (
        lambda: check_labels([media]),
        lambda: check_answers_for_keywords(tmp_path / "answers.csv", tmp_path / "words.txt", "answer"),
        lambda: check_two_reviewers(tmp_path / "answers.csv"),
    ):
        with pytest.raises(InputError) as told:
            ask()
        assert told.value.code == "standard.box_broken" and "沙箱" in told.value.render("zh")


def test_what_breaks_the_reader_breaks_its_box_alone(media, monkeypatch):
    """A box that is given next to no memory stands in for a file that takes all of it."""
    small = own_functions._LIMITS.model_copy(update={"memory_bytes": 8 << 20})
    monkeypatch.setattr(own_functions, "_LIMITS", small)
    with pytest.raises(InputError) as told:
        check_labels([media])
    assert told.value.code == "standard.box_broken" and "one.png" in told.value.render("en")


def test_a_file_that_is_not_there_or_cannot_be_opened_is_named_as_it_was_given(tmp_path):
    with pytest.raises(InputError) as told:
        check_two_reviewers(tmp_path / "nothing.csv")
    assert told.value.code == "input.no_file" and str(tmp_path / "nothing.csv") in told.value.render("en")
    with pytest.raises(InputError) as told:
        check_two_reviewers(tmp_path)
    assert told.value.code == "input.unreadable_file" and os.strerror(21) in told.value.render("en")
