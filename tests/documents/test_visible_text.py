"""Words of strangers inside our sentences: shown whole, and steering nothing."""

import pytest

from pilotbase.documents.catalogues import catalogue
from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.texts import Text, format_for_terminal, text


def test_only_the_words_given_are_spelled_and_our_own_lines_stay():
    error = InputError("input.no_file", file="a\x1b[2J\nVerdict: accept")
    assert error.render("en", format_for_terminal).count("\n") == error.render("en").count("\n")
    assert "a⟨U+001B⟩[2J\n  │ Verdict: accept" in error.render("en", format_for_terminal)


def test_places_of_problems_are_spelled_too():
    issue = Issue(file="f\x07", path="p\u202e", problem=text("input.missing_field"))
    assert issue.render("zh", format_for_terminal).isprintable()


def test_nested_sentences_are_spelled_in_their_words():
    outer = Text(code="input.missing_for_step", params={"step": text("input.no_file", file="\x9b")})
    assert outer.render("en", format_for_terminal).isprintable()


@pytest.mark.parametrize("words", ["plain", "中文，标点", "ünï", "x < 3"])
def test_ordinary_words_are_left_as_they_are(words):
    assert format_for_terminal(words) == words


def test_a_name_that_is_no_utf8_can_be_stored_in_a_sentence():
    assert "\\ud8" not in ascii(text("input.no_file", file="\udcff").model_dump_json())


@pytest.mark.parametrize("domain", ["../en/trial", "/etc/x", "", "trial/../trial", "x" * 50])
def test_a_path_is_no_domain(domain):
    assert catalogue(domain, "en") == {}
