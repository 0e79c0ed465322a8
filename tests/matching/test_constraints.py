"""Hard constraints: every refusal has its reason, and what is not said is missing and refuses nobody."""

import pytest

from pilotbase.documents.texts import LANGUAGES
from pilotbase.documents.vocabularies import Constraint, Fit
from pilotbase.matching.constraints import check_all, fit_of
from tests.matching.pairs_for_tests import need, offer, proven

CASES = [
    ("data", {"data_may_leave": False}, {"sends_data": True}, "refused"),
    ("data", {"data_may_leave": False}, {"sends_data": False}, "fits"),
    ("data", {"data_may_leave": False}, {}, "missing"),
    ("data", {"data_may_leave": True}, {"sends_data": True}, "fits"),
    ("data", {}, {"sends_data": True}, "missing"),
    ("data", {}, {"sends_data": False}, None),
    ("licence", {"licences": ["Apache-2.0"]}, {}, "refused"),
    ("licence", {"licences": ["mit", "Apache-2.0"]}, {}, "fits"),
    ("licence", {}, {}, None),
    ("language", {"languages": ["zh", "en"]}, {"languages": ["zh"]}, "refused"),
    ("language", {"languages": ["zh"]}, {"languages": ["en", "zh"]}, "fits"),
    ("language", {"languages": ["zh"]}, {}, "missing"),
    ("region", {"region": "CN-31"}, {"regions": ["CN"]}, "fits"),
    ("region", {"region": "CN"}, {"regions": ["CN-31"]}, "refused"),
    ("region", {"region": "CN"}, {}, "missing"),
    ("region", {}, {"regions": ["DE"]}, "missing"),
    ("isolation", {}, {"isolation": "L1"}, "refused"),
    ("isolation", {}, {"isolation": "L3"}, "fits"),
    ("isolation", {}, {}, "missing"),
]


@pytest.mark.parametrize(("constraint", "conditions", "terms", "expected"), CASES)
def test_each_constraint(constraint, conditions, terms, expected):
    found = {check.constraint: check for check in check_all(need(conditions=conditions), offer(offer=terms))}
    check = found.get(Constraint(constraint))
    assert (check and check.fit.value) == expected
    if check:
        assert all(check.why.render(language) for language in LANGUAGES)


@pytest.mark.parametrize(
    ("resources", "expected"),
    [({"memory": "4 GiB"}, "refused"), ({"memory": "1 MiB"}, "fits"), ({}, "missing"), ({"threads": 9}, "refused")],
)
def test_what_the_box_allows(resources, expected):
    found = {check.constraint: check.fit.value for check in check_all(need(), offer(resources=resources))}
    assert found[Constraint.ENVIRONMENT] == expected


def test_a_number_is_no_class():
    numbers = need(
        name="load", task="regression", positive=None, fields=(("a", "sc:Float", None), ("b", "sc:Float", None))
    )
    found = {check.constraint: check for check in check_all(need(), offer(made_for=numbers))}
    assert found[Constraint.ANSWER].fit is Fit.REFUSED
    assert found[Constraint.ANSWER].why.render("en") == "The scenario needs classes, but the application gives numbers."
    assert found[Constraint.ANSWER].why.render("zh") == "场景要求分类，而应用是为数值预测开发的。"


def test_a_certificate_shows_in_which_isolation_it_works():
    def level(offered, *proofs):
        return {check.constraint: check.fit.value for check in check_all(need(), offered, proofs)}[Constraint.ISOLATION]

    assert level(offer(), proven(level="L2")) == "fits"
    assert level(offer(), proven(level="L1")) == "missing"


def test_one_refusal_refuses_the_pair_and_unknown_is_said():
    assert fit_of(check_all(need(conditions={"licences": ["BSD-3-Clause"]}), offer(made_for=need()))) is Fit.REFUSED
    assert fit_of(check_all(need(), offer())) is Fit.MISSING
    said = {"isolation": "L2"}
    assert fit_of(check_all(need(), offer(made_for=need(), offer=said, resources={"memory": "1 MiB"}))) is Fit.FITS
