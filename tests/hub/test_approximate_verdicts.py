"""A verdict that rests on an approximate bound says so wherever it is told: sites, matches, replays."""

import pytest
from django.template import Context, Template
from django.utils import translation

from pilotbase.documents.api.sites import ReportTold
from pilotbase.documents.matching import Proof
from pilotbase.documents.vocabularies import Verdict
from pilotbase.worker.trials.replaying import ReplayedCriterion, ReplayedVerdict, replay_lines

DIGEST = f"sha256:{'0' * 64}"


@pytest.mark.parametrize("approximate", [True, None])
def test_sites_and_matches_mark_it(one_world, approximate):
    given = {"verdict": Verdict.ACCEPT, "approximate": approximate}
    report = ReportTold.model_construct(**given)
    proof = Proof(serial=DIGEST, scenario="scenario:plant/milling", **given)
    for told in (report, proof):
        with translation.override("en"):
            shown = Template("{% load texts %}{% verdict it %}").render(Context({"it": told}))
        assert ("approximate" in shown) is bool(approximate) and "accept" in shown.lower(), shown


@pytest.mark.parametrize(("guarantee", "rough"), [("asymptotic", True), ("exact_fixed", False)])
def test_a_replay_says_it(guarantee, rough):
    found = ReplayedCriterion(rule="mcc >= 0.5", verdict="pass", used=9, total=9, guarantee=guarantee)
    replay = ReplayedVerdict(
        verdict=Verdict.ACCEPT,
        digest=DIGEST,
        scored=9,
        cases=9,
        attempt=1,
        level=0.025,
        root=DIGEST,
        leaves=1,
        criteria=(found,),
        compared=(),
        absent=(),
        undecided=(),
        certified=None,
    )
    for language, said in (("en", "accept (approximate)"), ("zh", "通过（近似）")):
        assert (said in replay_lines(replay)[0].render(language)) is rough
