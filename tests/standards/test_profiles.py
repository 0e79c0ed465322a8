"""Profiles: read, composed, held against criteria and papers; what changed between two versions."""

from pathlib import Path
from typing import get_args

import pytest

import pilotbase
from pilotbase.documents.base import localized
from pilotbase.documents.criteria import parse_rule
from pilotbase.documents.errors import InputError
from pilotbase.documents.report import CriterionResult
from pilotbase.documents.standards import (
    Check,
    EvidenceDocument,
    StandardProfile,
    StandardUse,
    coarse_rows,
    without_figures,
)
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Conformity, StandardStatus
from pilotbase.standards.composing import compose, differences, packaged_profiles, touching
from pilotbase.standards.matrix import MatrixInputs, conformity_rows, missing_measures
from pilotbase.trial.standards import check_profile, find_profile

SOURCE = {"identifier": "STD 1", "title": "A standard", "status": "published", "read": "whole"}


def profile(*requirements, name="one", source=SOURCE, **more):
    value = {"document": "standard-profile/1", "name": name, "version": "1.0.0", "title": name, "source": source}
    return StandardProfile.model_validate({**value, "requirements": list(requirements), **more})


def asks(**fields):
    return {"id": "r", "asks": "Something.", **fields}


def held(*profiles, kind=None, also=()):
    by_name = {one.name: one for one in profiles}
    return compose([StandardUse(profile=one.name, also=also) for one in profiles], by_name.__getitem__, kind)


def result(rule, outcome="pass", estimate=0.97, scored=400):
    parsed = parse_rule(rule)
    return CriterionResult(
        rule=rule, outcome=outcome, threshold=float(parsed.threshold), estimate=estimate, scored=scored, lower=0.9,
        upper=1.0, estimand="hidden_set", unit="case", confidence=0.95, guarantee="exact_anytime",
        claim=text("trial.reason.all_met", count=1),
    )  # fmt: skip


def row(requirement, **shown):
    return conformity_rows(held(profile(requirement)), MatrixInputs(day="2026-11-27", **shown))[0]


@pytest.mark.parametrize("name", packaged_profiles())
def test_every_packaged_profile_is_sound(name):
    one = packaged_profiles()[name]
    check_profile(one, lambda other: find_profile(None, other))
    assert one.source.read != "whole" and localized(one.source.note, "zh"), "none of their texts was read whole"
    for requirement in one.requirements:
        assert localized(requirement.asks, "en") != localized(requirement.asks, "zh")
        assert one.source.read != "nothing" or requirement.status is StandardStatus.REMEMBERED
    told = [localized(requirement.asks, language) for requirement in one.requirements for language in ("en", "zh")]
    assert not any("conform" in words or "符合" in words for words in told)


def test_every_check_is_one_that_reports_have():
    home = Path(pilotbase.__file__).parent
    written = "".join(file.read_text("utf-8") for file in [*home.glob("trial/**/*.py"), home / "data" / "leakage.py"])
    assert [name for name in get_args(Check) if f'"{name}"' not in written and f'f"{name}: ' not in written] == []


def test_numbers_that_are_only_remembered_are_off_until_turned_on():
    safety = packaged_profiles()["generative-safety"]
    names = [one.requirement.id for one in compose([StandardUse(profile=safety.name)], {safety.name: safety}.get)]
    assert "should-refuse" in names and "question-bank" not in names
    on = compose([StandardUse(profile=safety.name, also=("question-bank",))], {safety.name: safety}.get)
    assert "question-bank" in [one.requirement.id for one in on]


def test_what_a_source_says_of_both_sides_of_refusal_is_asked_of_either_spelling():
    safety = packaged_profiles()["generative-safety"]
    asked = compose([StandardUse(profile=safety.name)], {safety.name: safety}.get, "text")
    assert not list(missing_measures(asked, [parse_rule("declined >= 0.95"), parse_rule("answered >= 0.95")]))
    lacking = [one.render() for one in missing_measures(asked, [parse_rule("refusal_rate >= 0.95")])]
    assert lacking == [
        "TC260-003 (2024), should-not-refuse requires over_refusal_rate <= 0.05, but no criterion measures it"
    ]


def test_an_unknown_measure_is_told():
    with pytest.raises(InputError) as refused:
        check_profile(profile(asks(measure=["acuracy"])), lambda name: profile(asks(measure=["acuracy"])))
    assert "accuracy" in refused.value.render()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "one way"),
        ({"measure": ["accuracy"], "evidence": "plan"}, "one way"),
        ({"check": ["baseline"], "at_least": 0.5}, "threshold"),
        ({"measure": ["accuracy"], "at_least": 0.9, "at_most": 0.5}, "threshold"),
        ({"evidence": "plan", "wrapper": "gap"}, "without a measure"),
        ({"measure": ["accuracy"], "status": "remembered", "mandatory": True}, "from memory"),
    ],
)
def test_a_requirement_is_shown_in_one_way_that_can_hold(fields, code):
    with pytest.raises(ValueError, match=code):
        profile(asks(**fields))


def test_the_same_requirement_twice_in_a_profile_is_told():
    with pytest.raises(ValueError, match=r"problem"):
        profile(asks(evidence="plan"), asks(evidence="other"))


def test_conflicts_between_profiles_are_named():
    strict = profile(asks(measure=["accuracy"], at_least=0.95), name="strict")
    lax = profile(asks(measure=["accuracy"], at_most=0.9), name="lax", source={**SOURCE, "identifier": "STD 2"})
    with pytest.raises(InputError, match=r"strict: STD 1, r \(r\) and lax: STD 2, r \(r\) exclude each other"):
        held(strict, lax)
    other = profile(asks(clause="4", measure=["accuracy"], at_least=0.5), name="other")
    same = profile(asks(clause="4", measure=["accuracy"], at_least=0.6), name="same")
    with pytest.raises(InputError, match=r"other: STD 1, 4 .* require different things under the same clause"):
        held(other, same)


def test_what_two_profiles_ask_alike_is_held_once_and_rings_of_includes_end():
    one = profile(asks(clause="4", measure=["accuracy"]), name="one", includes=["two"])
    two = profile(asks(clause="4", measure=["accuracy"]), name="two", includes=["one"])
    assert [found.profile.name for found in held(one, two)] == ["one"]


def test_a_profile_that_is_not_about_such_answers_is_refused():
    with pytest.raises(InputError, match="does not apply to answers of the kind value"):
        held(profile(asks(measure=["accuracy"]), answers=["label"]), kind="value")
    assert held(profile(asks(measure=["auc"], answers=["probability"])), kind="label") == []


@pytest.mark.parametrize(
    ("requirement", "criteria", "outcome"),
    [
        (asks(measure=["accuracy"], at_least=0.9), [result("accuracy >= 0.9")], Conformity.MET),
        (asks(measure=["accuracy"], at_least=0.9), [result("accuracy >= 0.95", "fail")], Conformity.NOT_MET),
        (asks(measure=["accuracy"], at_least=0.9), [result("accuracy >= 0.9", "inconclusive")], Conformity.UNDECIDED),
        (asks(measure=["accuracy"], at_least=0.9), [result("accuracy >= 0.8")], Conformity.NOT_MEASURED),
        (asks(measure=["accuracy"], at_least=0.9), [], Conformity.NOT_MEASURED),
        (asks(measure=["accuracy"]), [result("accuracy >= 0.99", "fail")], Conformity.MET),
        (asks(measure=["accuracy"]), [result("gap(accuracy by site) <= 0.1")], Conformity.NOT_MEASURED),
        (asks(measure=["accuracy"], wrapper="gap"), [result("gap(accuracy by site) <= 0.1")], Conformity.MET),
        (asks(measure=["recall"]), [result("recall(a) >= 0.9"), result("recall(b) >= 0.9")], Conformity.MET),
        (
            asks(measure=["recall"], at_least=0.9),
            [result("recall(a) >= 0.9"), result("recall(b) >= 0.9", "fail")],
            Conformity.NOT_MET,
        ),
        (asks(measure=["accuracy"], at_least=0.95, compared="sample"), [result("accuracy >= 0.9")], Conformity.MET),
        (
            asks(measure=["accuracy"], at_least=0.98, compared="sample"),
            [result("accuracy >= 0.9")],
            Conformity.NOT_MET,
        ),
        (asks(measure=["accuracy"], sample=401), [result("accuracy >= 0.9")], Conformity.NOT_MEASURED),
        (
            asks(measure=["over_refusal_rate"], complement=["answered"], at_most=0.05, compared="sample"),
            [result("answered >= 0.9", estimate=0.94)],
            Conformity.NOT_MET,
        ),
        (
            asks(measure=["over_refusal_rate"], complement=["answered"], at_most=0.05, compared="sample"),
            [result("answered >= 0.9", estimate=0.95)],
            Conformity.MET,
        ),
    ],
)
def test_a_row_of_a_measure(requirement, criteria, outcome):
    assert row(requirement, criteria=criteria).outcome is outcome


@pytest.mark.parametrize(
    ("fields", "document", "outcome"),
    [
        ({}, {}, Conformity.MET),
        ({}, {"until": "2026-11-26"}, Conformity.EVIDENCE_LACKING),
        ({}, {"until": "2026-11-27"}, Conformity.MET),
        ({"at_least": 0.9}, {}, Conformity.EVIDENCE_LACKING),
        ({"at_least": 0.9}, {"sample": 10, "passed": 9}, Conformity.MET),
        ({"at_least": 0.9}, {"sample": 1000, "passed": 899}, Conformity.NOT_MET),
        ({"at_least": 0.9, "sample": 1000}, {"sample": 999, "passed": 999}, Conformity.EVIDENCE_LACKING),
        ({"reviewers": 2}, {"reviewers": ["a", "a"]}, Conformity.EVIDENCE_LACKING),
        ({"reviewers": 2}, {"reviewers": ["a", "b"]}, Conformity.MET),
    ],
)
def test_a_row_of_a_document(fields, document, outcome):
    shown = EvidenceDocument.model_validate({"kind": "paper", "reference": "No. 1", **document})
    assert row(asks(evidence="paper", **fields), evidence=[(shown, "supplier")]).outcome is outcome
    assert row(asks(evidence="other", **fields), evidence=[(shown, "supplier")]).outcome is Conformity.EVIDENCE_LACKING


def test_what_changed_is_told_by_what_it_means_for_a_proof():
    before = profile(
        asks(id="a", measure=["accuracy"], at_least=0.9), asks(id="b", evidence="plan"), asks(id="c", evidence="plan"),
        asks(id="d", measure=["accuracy"]), asks(id="e", evidence="plan"),
    )  # fmt: skip
    after = profile(
        asks(id="a", measure=["accuracy"], at_least=0.95), asks(id="b", evidence="plan", clause="7"),
        asks(id="d", measure=["recall"]), asks(id="e", evidence="plan"), asks(id="f", evidence="plan"),
        asks(id="g", evidence="plan", status="remembered", sample=9),
    )  # fmt: skip
    changes = differences(before, after)
    kinds = {"a": "stricter", "b": "worded", "c": "removed", "d": "changed", "f": "added", "g": "added"}
    assert {one.name: one.kind for one in changes} == kinds
    assert [one.name for one in touching(changes)] == ["a", "d", "f"]
    assert "g" in [one.name for one in touching(changes, turned_on=["g"])]


def test_a_supplier_sees_two_digits_and_a_site_lets_out_outcomes_alone():
    full = [row(asks(measure=["accuracy"]), criteria=[result("accuracy >= 0.9", estimate=0.98765)])]
    (coarse,) = coarse_rows(full)
    assert (coarse.estimate, coarse.lower, coarse.upper, coarse.outcome) == (0.99, None, None, Conformity.MET)
    (bare,) = without_figures(full)
    assert (bare.estimate, bare.lower, bare.outcome) == (None, None, Conformity.MET)
    assert coarse_rows(None) is without_figures(None) is None
