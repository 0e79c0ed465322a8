"""Every error that can be raised, once, as its reader is told of it: what, where, what to do, in both languages.

The rows stand in ``error_table/<room>.toml``; a change of a text is read there, in the diff.
"""

import re

import pytest

from pilotbase.documents.catalogues import catalogue
from pilotbase.documents.texts import LANGUAGES
from tests.documents.error_table import COMMAND, classes_of, named_by, raised, said, table

TABLE = table()
WRITE_IT = f"run `{COMMAND}`, then read the diff: does each row say what, where and what to do?"
STOPS = {"en": (".", "!", "?"), "zh": ("。", "！", "？")}
GIVEN = re.compile(r"\{(\w+)\}")
ONLY_GIVEN = re.compile(r"\{\w+\}")
STUMBLES = re.compile(
    r"(?<!\.)\.\.(?![./\"”\w])|。[.。，；：]|\.。| {2}|[.!?] [a-z]+ |“”|\"\" |[\u4e00-\u9fff] [\u4e00-\u9fff]"
)


@pytest.fixture(scope="module")
def codes():
    """Code → where it is raised; who only lists the tests does not read the whole source for it."""
    return raised.error_codes()


def sentences(language):
    """Yield (row, template, line) of every sentence of the table."""
    for code, row in TABLE.items():
        domain = catalogue(code.partition(".")[0], language)
        yield from ((row, domain[key], line) for key, line in zip((code, f"{code}.hint"), row[language], strict=True))


def begins_with_given(template, given):
    first = GIVEN.match(template)
    return first is not None and not isinstance(given[first[1]], dict)


def test_every_error_that_can_be_raised_is_in_the_table(codes):
    assert sorted(codes.keys() - TABLE.keys()) == [], WRITE_IT
    assert sorted(TABLE.keys() - codes.keys()) == [], WRITE_IT
    assert {code: TABLE[code]["class"] for code in codes} == {
        code: classes_of(sites) for code, sites in codes.items()
    }, WRITE_IT


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_catalogues_say_what_the_table_shows(language):
    told = {code: said(code, row["given"], language) for code, row in TABLE.items()}
    assert {code: row[language] for code, row in TABLE.items()} == told, WRITE_IT


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_error_says_what_to_do_and_nothing_else_has_a_hint(codes, language):
    hinted = {
        code.removesuffix(".hint")
        for domain in {path.partition(".")[0] for path in codes} | {"state", "next", "hub", "watching"}
        for code in catalogue(domain, language)
        if code.endswith(".hint")
    }
    assert sorted(hinted ^ codes.keys()) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_are_sentences(language):
    """They begin with a capital or with what was given, end with one full stop, and read well in between."""
    told = [(template, line, row["given"]) for row, template, line in sentences(language)]
    ended = [
        line for template, line, _ in told if not line.endswith(STOPS[language]) and not ONLY_GIVEN.fullmatch(template)
    ]
    assert ended == []
    small = [line for template, line, given in told if line[0].islower() and not begins_with_given(template, given)]
    assert language != "en" or small == []
    assert [line for _, line, _ in told if STUMBLES.search(line.replace("../", ""))] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_site_gives_what_its_sentence_names(codes, language):
    lacking = [
        (site.place, code, sorted(named_by(code, language) - site.given - raised.added_by(site.kind)))
        for code, sites in codes.items()
        for site in sites
        if not site.open and named_by(code, language) - site.given - raised.added_by(site.kind)
    ]
    assert lacking == []


def test_every_value_that_a_site_gives_is_told(codes):
    untold = [
        (site.place, code, sorted(site.given - named_by(code, "en") - raised.added_by(site.kind)))
        for code, sites in codes.items()
        for site in sites
        if site.given - named_by(code, "en") - raised.added_by(site.kind)
    ]
    assert untold == []


def test_samples_are_the_values_of_their_sentences():
    assert [code for code, row in TABLE.items() if row["given"].keys() != named_by(code, "en")] == [], WRITE_IT
    assert [code for code, row in TABLE.items() if "…" in row["given"].values()] == [], "give them realistic values"
