"""What is asked about a word that nobody knows."""

import pytest

from pilotbase.documents.errors import MOST_LISTED, meant, nearest, offer
from pilotbase.documents.texts import text


@pytest.mark.parametrize(
    ("found", "known", "near"),
    [
        ("bseline", ["baseline", "board", "criteria"], "baseline"),
        ("Accuracy", ["accuracy", "auc"], "accuracy"),
        ("sc:Flot", ["sc:Float", "sc:Text"], "sc:Float"),
        ("sc:Photo", ["sc:Date", "sc:Text"], None),
        ("PILOTBASE_HUB_LANGAUGE", ["PILOTBASE_HUB_LANGUAGE", "PILOTBASE_HUB_MAIL"], "PILOTBASE_HUB_LANGUAGE"),
        ("PILOTBASE_HUB_COLOUR", ["PILOTBASE_HUB_LANGUAGE", "PILOTBASE_HUB_MAIL"], None),
        ("", ["a"], None),
        ("a", [], None),
        ("a" * 10_000, ["a" * 9_999], None),
    ],
)
def test_the_nearest_word_is_one_that_could_have_been_meant(found, known, near):
    assert nearest(found, known) == near


def test_a_few_words_are_listed_and_of_many_only_the_nearest():
    few = ["alpha", "beta"]
    many = [f"word-{letter}" for letter in "abcdefghijklmn"]
    assert len(many) > MOST_LISTED
    told = [
        offer(*asked).render("en") for asked in (("alpa", few), ("x", few), ("word-", many), ("x", many), ("x", []))
    ]
    assert told[:2] == ["allowed: alpha, beta; did you mean alpha?", "allowed: alpha, beta"]
    assert told[2].startswith("did you mean word-") and "," not in told[2]
    assert told[3].startswith("allowed: word-a, ") and told[3].endswith("word-l and others, 14 in all")
    assert told[4] == "none exist"


def test_what_is_asked_is_what_was_meant():
    problem = text("input.not_allowed", found="alpa", allowed=offer("alpa", ["alpha", "beta"]))
    assert meant(problem) == "alpha"
    assert problem.render("zh").endswith("是否指 alpha？")
    assert meant(text("input.not_allowed", found="x", allowed=offer("x", ["alpha"]))) is None
    assert meant(text("input.missing_field")) is None
