"""Calls for a task: sealed claims and scores, experts with a tie, the standing, the award, appeals and milestones."""

import pytest
from pydantic import ValidationError

from pilotbase.documents.call import CallFile, CallTerms, TeamClaim
from pilotbase.documents.errors import InvalidProofError, PilotbaseError, RefusedError
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import Reviewer
from pilotbase.documents.vocabularies import Role
from pilotbase.trial.call_standing import require_follows
from pilotbase.worker.base import open_base
from pilotbase.worker.intake.kept_files import take_application, take_scenario
from pilotbase.worker.jobs.worker import JobWorker
from pilotbase.worker.trials import call_awards, call_judging, calls
from pilotbase.workspace.actors import actor
from tests.catalogue import records_for_tests as records
from tests.catalogue.records_for_tests import DESK, OTHER_OWNER, OWNER, REGULATOR, SIGNER
from tests.trial.conftest import BAD, GOOD, writing_application, writing_scenario
from tests.worker.calls_for_tests import CALL, EXPERTS, TEAMS, TERMS, Called, Clock, application_of, refused


@pytest.fixture
def called(home):
    clock = Clock()
    base = open_base(create=True, name="base", clock=clock)
    yield Called(base, clock)
    base.lab.close()


def test_a_call_from_draft_to_finished(called):
    """Five teams, seven experts, one of them tied; the first in the standing is awarded, and the file verifies."""
    called.draft(weight_price=20, weight_experts=80)
    assert called.stage == "draft"
    called.publish()
    assert (called.stage, called.history.terms.weight_price) == ("published", 30)
    for team in TEAMS:
        called.claim(team)
    called.name()
    assert called.stage == "published"
    called.clock.pass_days(30)
    assert called.stage == "closed"
    history = called.open()
    assert called.stage == "opened"
    assert [(one.reviewer.organisation, one.team) for one in history.opened.barred] == [("lab4", "umbrella")]
    assert len(history.panel) == 3 and len(history.opened.drawn) == 6
    called.score_all()
    assert called.stage == "judged"
    standing = call_judging.rank_call(called.base, called.view(OWNER), CALL)
    assert {one.gate for one in standing.lines} == {"untried"} and standing.stays_first is None
    called.try_applications()
    standing = call_judging.rank_call(called.base, called.view(OWNER), CALL)
    assert [(one.leader, one.place) for one in standing.lines][:3] == [("acme", 1), ("globex", 2), ("initech", None)]
    first = standing.lines[0]
    assert (first.experts, first.price, first.total) == (100.0, 88.888889, 96.666667)
    assert standing.stays_first == 1.0 and standing.agreement.value == 1.0
    award = call_awards.propose_award(called.base, called.view(OWNER), CALL, "acme", "")
    assert called.stage == "objection"
    called.clock.pass_days(8)
    assert called.stage == "awarded"
    visitor = called.view(records.VISITOR).every(type(award))
    assert [(one.team, one.report) for one in visitor] == [(("acme",), called.trial.report.digest())]
    accept = (called.base, called.view(OWNER), CALL)
    call_awards.accept_milestone(*accept, 1, "Runs at the first site.")
    refused("calls.no_evidence", call_awards.accept_milestone, *accept, 2, "Certified.")
    called.trial.reach("certified")
    refused("calls.not_payable", call_awards.pay_milestone, *accept, 2, "contract", "Invoice 7")
    call_awards.accept_milestone(*accept, 2, "Certified.")
    for _ in range(2):
        [paid] = call_awards.pay_milestone(*accept, 2, "voucher", "voucher 12").payments
    share = float(called.history.award.price) * called.history.terms.milestones[1].share / 100
    assert (float(paid.amount), paid.currency, paid.way, paid.reference) == (share, "CNY", "voucher", "voucher 12")
    refused("calls.not_payable", call_awards.pay_milestone, *accept, 2, "contract", "Invoice 7")
    assert called.stage == "finished"
    require_follows(call_awards.file_of(called.base, called.view(REGULATOR), CALL))


def test_the_terms_of_a_published_call_are_fixed(called):
    called.publish()
    refused("calls.published", called.draft, weight_price=20, weight_experts=80)
    assert called.history.terms.weight_experts == 70
    with pytest.raises(ValidationError, match=r"calls\.weights|add up to 110"):
        CallTerms.model_validate({**TERMS, "weight_price": 40})
    refused("record.not_found", calls.publish_call, called.base, called.view(OTHER_OWNER), CALL)


def test_a_draft_whose_last_day_is_over_cannot_be_published(called):
    """Not in the days of an extension either, which is for a call that was open until its last day."""
    called.draft()
    called.clock.pass_days(20)
    refused("calls.day_over", calls.publish_call, called.base, called.view(OWNER), CALL)


def test_nobody_reads_a_claim_before_it_is_opened(called):
    called.publish()
    receipt = called.claim("acme", plan="The secret of acme.")
    for who in (OWNER, DESK, REGULATOR, called.expert(1)):
        view = called.view(who)
        refused("calls.sealed", calls.claims_of, called.base, view, called.history)
        assert view.every(TeamClaim) == [] and view.search("secret") == []
    assert calls.own_claim(called.base, called.view(called.team("acme")), called.history).terms.plan.endswith("acme.")
    assert calls.own_claim(called.base, called.view(called.team("globex")), called.history) is None
    assert b"secret" not in called.base.lab.vault.blobs.get(receipt.blob)
    for who in (DESK, OWNER, REGULATOR):
        refused("calls.sealed", called.turn_key, who)
    refused("hub.role_missing", called.turn_key, called.team("acme"))


def test_nobody_opens_the_claims_alone(called):
    called.publish()
    for team in ("acme", "globex", "initech"):
        called.claim(team)
    called.name()
    called.clock.pass_days(30)
    for who in (OWNER, OWNER, REGULATOR):
        assert called.turn_key(who).opened is None, "one of the two is an operator"
    assert [one.act for one in call_judging.calls_waiting(called.base, called.view(DESK))] == ["second_key"]
    assert called.turn_key(DESK).opened is not None


def test_an_operator_needs_a_second_person(called):
    called.publish()
    for team in ("acme", "globex", "initech"):
        called.claim(team)
    called.name()
    called.clock.pass_days(30)
    assert [one.act for one in call_judging.calls_waiting(called.base, called.view(DESK))] == ["open"]
    for _ in range(2):
        assert called.turn_key(DESK).opened is None
    assert list(call_judging.calls_waiting(called.base, called.view(DESK))) == []
    assert [one.act for one in call_judging.calls_waiting(called.base, called.view(OWNER))] == ["second_key"]
    refused("calls.sealed", calls.claims_of, called.base, called.view(DESK), called.history)
    assert called.turn_key(SIGNER).opened is not None


def test_a_claim_is_replaced_until_the_call_closes_and_refused_after(called):
    called.publish()
    first = called.claim("acme")
    assert called.claim("acme") == first
    second = called.claim("acme", price="700")
    for team in ("globex", "initech"):
        called.claim(team)
    called.name()
    called.clock.now = called.history.closes_at
    third = called.claim("acme", price="600")
    called.clock.pass_days(1)
    refused("calls.closed", called.claim, "wayne")
    claims = calls.taking_part(called.base, called.open())
    assert [one.terms.price for one in claims if one.leader == "acme"] == ["600"]
    receipts = [one.claim for one in called.history.receipts if one.leader == "acme"]
    assert receipts == [first.claim, second.claim, third.claim]


def test_what_does_not_fit_the_call_is_refused(called):
    called.publish(excluded=["wayne"], most_partners=1)
    part = lambda *names: [{"organisation": name, "part": "Data"} for name in names]  # noqa: E731
    refused("calls.excluded", called.claim, "wayne")
    refused("calls.excluded", called.claim, "acme", partners=part("plant"))
    refused("calls.many_partners", called.claim, "acme", partners=part("globex", "initech"))
    refused("calls.partner_twice", called.claim, "acme", partners=part("acme"))
    refused("calls.unknown_partner", called.claim, "acme", partners=part("nobody"))
    refused("calls.price", called.claim, "acme", price="1000.01")
    refused("record.not_found", called.claim, "acme", application=application_of("globex"))
    refused("labelling.not_a_member", called.name, [Reviewer(organisation="lab1", person="p-lab9"), *EXPERTS[1:]])
    refused("calls.few_reviewers", called.name, EXPERTS[:2])


def test_who_is_tied_to_the_owner_neither_bids_nor_wins(called):
    """A tie that is declared after the claim counts, too."""

    def tie(team):
        own = records.Organisation(name=team, title=team.title(), roles=(Role.SUPPLIER,), related=("plant",))
        called.trial.do(called.team(team), f"organisation:{team}", records.Act.ORGANISATION_DECLARE, own)

    called.publish()
    tie("wayne")
    refused("calls.excluded", called.claim, "wayne")
    refused("calls.excluded", called.claim, "acme", partners=[{"organisation": "wayne", "part": "Data"}])
    for team in TEAMS[:-1]:
        called.claim(team)
    called.name()
    called.clock.pass_days(30)
    called.open()
    called.score_all()
    called.try_applications()
    call_judging.rank_call(called.base, called.view(OWNER), CALL)
    tie("acme")
    refused("calls.excluded", call_awards.propose_award, called.base, called.view(OWNER), CALL, "acme", "")
    call_awards.propose_award(called.base, called.view(OWNER), CALL, "globex", "The first is tied to us.")


def test_with_too_few_claims_a_call_is_extended_once_then_void(called):
    called.publish()
    called.claim("acme")
    called.claim("globex")
    assert called.history.shown_close(called.clock()).day == 20
    called.clock.pass_days(20)
    assert called.stage == "published" and called.history.shown_close(called.clock()).day == 3
    called.clock.pass_days(20)
    assert called.stage == "void"
    refused("calls.closed", called.claim, "initech")


def test_a_partner_in_two_teams_sets_the_claim_that_names_it_aside(called):
    """Whoever names a rival as partner harms only its own claim."""
    called.publish()
    called.claim("acme", partners=[{"organisation": "globex", "part": "Data"}])
    for team in TEAMS[1:]:
        called.claim(team)
    called.name()
    called.clock.pass_days(30)
    history = called.open()
    assert [(one.leader, one.member) for one in history.opened.aside] == [("acme", "globex")]
    assert [one.leader for one in calls.taking_part(called.base, history)] == list(TEAMS[1:])


def test_a_call_whose_claims_are_all_set_aside_is_void(called):
    called.publish(fewest=2)
    for team, rival in (("acme", "globex"), ("globex", "acme")):
        called.claim(team, partners=[{"organisation": rival, "part": "Data"}])
    called.name()
    called.clock.pass_days(30)
    called.open()
    assert called.stage == "void"


def test_with_a_single_team_there_is_no_tender_to_start(called):
    called.publish(fewest=1, weight_tender=40, weight_experts=30, tender=TENDER)
    called.claim("acme")
    called.name()
    called.clock.pass_days(30)
    called.open()
    waiting = lambda: [one.act for one in call_judging.calls_waiting(called.base, called.view(OWNER))]  # noqa: E731
    assert waiting() == []
    called.score_all()
    assert waiting() == ["rank"]
    assert call_judging.rank_call(called.base, called.view(OWNER), CALL).tender is None


def test_an_expert_with_a_tie_scores_nobody(called):
    """A tie to one team bars from all; one declared later, too, and the next one drawn takes the place."""
    called.reach_opened()
    tied = called.expert(4)
    refused("calls.not_on_panel", called.score, tied, "acme", 5, 5)
    refused("calls.not_yours", calls.claims_of, called.base, called.view(tied), called.history)
    late, others = called.panel()[0], called.panel()[1:]
    called.score(late, "acme", 5, 5)
    organisation = records.Organisation(
        name=late.organisation, title=late.organisation.title(), roles=(Role.REVIEWER,), related=("wayne",)
    )
    called.trial.do(late, f"organisation:{late.organisation}", records.Act.ORGANISATION_DECLARE, organisation)
    refused("calls.tied", called.score, late, "globex", 5, 5)
    out = Reviewer(organisation=late.organisation, person=late.person)
    release = call_judging.release_reviewer
    refused("calls.not_on_panel", release, called.base, called.view(others[0]), CALL, out, "Tied.")
    history = release(called.base, called.view(late), CALL, out, "We now work for wayne.")
    assert out not in history.panel and len(history.panel) == 3
    called.score_all()
    assert late.person not in {one.reviewer.person for one in called.history.judged.scores}


def test_scores_are_opened_at_once_when_the_last_is_in(called):
    called.publish()
    for team in TEAMS:
        called.claim(team)
    called.name()
    refused("calls.sealed", called.score, called.expert(1), "acme", 5, 5)
    called.clock.pass_days(30)
    refused("calls.sealed", called.score, called.expert(1), "acme", 5, 5)
    called.open()
    called.score_all(skip=1)
    last = called.panel()[-1]
    for who in (OWNER, DESK, REGULATOR, last):
        error = refused("calls.scores_sealed", call_judging.scores_of, called.base, called.view(who), called.history)
        assert "missing: 1" in error.render("en")
        assert called.view(who).search("thought") == []
    refused("calls.scores_sealed", call_judging.rank_call, called.base, called.view(OWNER), CALL)
    refused("calls.points", called.score, last, "wayne", 6, 1)
    refused("calls.points", called.score, last, "wayne", 1)
    called.score(last, "wayne", 1, 1)
    assert len(call_judging.scores_of(called.base, called.view(last), called.history).scores) == 15
    refused("calls.not_now", called.score, last, "wayne", 5, 5)
    for who in (called.team("acme"), OTHER_OWNER):
        refused("calls.not_yours", call_judging.scores_of, called.base, called.view(who), called.history)


def test_the_award_follows_the_standing_or_says_why_not(called):
    called.reach_opened()
    called.score_all()
    called.try_applications()
    call_judging.rank_call(called.base, called.view(OWNER), CALL)
    award = lambda team, grounds="": call_awards.propose_award(  # noqa: E731
        called.base, called.view(OWNER), CALL, team, grounds
    )
    refused("calls.gate", award, "initech", "We like them.")
    refused("calls.award_differs", award, "globex")
    refused("record.not_found", call_awards.propose_award, called.base, called.view(OTHER_OWNER), CALL, "acme", "")
    made = award("globex", "Only they can start this month.")
    assert (made.place, made.grounds) == (2, "Only they can start this month.")
    assert award("globex", "Only they can start this month.") == made
    refused("calls.not_now", award, "acme")


def test_an_appeal_makes_the_award_wait(called):
    called.reach_opened()
    called.score_all()
    called.try_applications()
    rank = lambda: call_judging.rank_call(called.base, called.view(OWNER), CALL)  # noqa: E731
    award = lambda: call_awards.propose_award(called.base, called.view(OWNER), CALL, "acme", "")  # noqa: E731
    rank(), award()
    appeal = lambda team: call_awards.file_appeal(  # noqa: E731
        called.base, called.view(called.team(team)), CALL, "An expert works for acme."
    )
    made = appeal("globex")
    assert appeal("globex") == made
    refused("calls.not_yours", call_awards.file_appeal, called.base, called.view(OTHER_OWNER), CALL, "No.")
    called.clock.pass_days(30)
    assert called.stage == "objection"
    refused("calls.not_now", appeal, "initech")
    decide = lambda who, outcome, number=1: call_awards.decide_appeal(  # noqa: E731
        called.base, called.view(who), CALL, number, outcome, "It is true."
    )
    refused("hub.role_missing", decide, OWNER, "dismissed")
    expert = called.panel()[0]
    judged = actor("base", Role.OPERATOR, person=expert.person)
    refused("calls.judged_by_you", decide, judged, "dismissed")
    decide(DESK, "score_again")
    decide(DESK, "score_again")
    refused("calls.not_now", decide, DESK, "dismissed")
    assert called.stage == "opened" and called.history.round == 2
    called.score_all(points=dict(zip(TEAMS, ((4, 4), (5, 5), (2, 3), (3, 2), (1, 1)), strict=True)))
    assert rank().lines[0].leader == "globex"
    refused("calls.award_differs", award)
    require_follows(call_awards.file_of(called.base, called.view(OWNER), CALL))


def test_experts_who_disagree_talk_and_score_once_more(called):
    """Agreement is measured first; both rounds stay, and the file shows why there was a second."""
    called.reach_opened()
    talk = lambda words="They read it as a pilot.", who=DESK: call_judging.note_talk(  # noqa: E731
        called.base, called.view(who), CALL, words
    )
    refused("calls.not_now", talk)
    disagree = [(5, 5), (1, 1), (3, 3)]
    for at, who in enumerate(called.panel()):
        for number, team in enumerate(TEAMS):
            called.score(who, team, *disagree[(at + number) % 3])
    called.try_applications()
    rank = lambda: call_judging.rank_call(called.base, called.view(OWNER), CALL)  # noqa: E731
    assert rank().agreement.value < 0.4
    waiting = lambda who: [one.act for one in call_judging.calls_waiting(called.base, called.view(who))]  # noqa: E731
    assert (waiting(DESK), waiting(OWNER)) == (["talk"], [])
    award = lambda: call_awards.propose_award(called.base, called.view(OWNER), CALL, "acme", "We like it.")  # noqa: E731
    refused("calls.talk_first", award)
    refused("hub.role_missing", talk, who=OWNER)
    for _ in range(2):
        talk()
    refused("calls.not_now", talk, "Something else.")
    assert (called.stage, called.history.round, called.history.standing) == ("opened", 2, None)
    assert waiting(called.panel()[0]) == ["score"]
    called.score_all(skip=1)
    refused("calls.scores_sealed", call_judging.scores_of, called.base, called.view(DESK), called.history)
    assert [len(one.scores) for one in called.history.earlier] == [15]
    called.score_all()
    assert rank().agreement.value == 1 and rank().round == 2
    refused("calls.no_second_round", talk, "Once more.")
    assert award().place == 1
    file = call_awards.file_of(called.base, called.view(OWNER), CALL)
    require_follows(CallFile.from_json_value(file.to_json_value()))
    with pytest.raises(InvalidProofError) as caught:
        require_follows(file.model_copy(update={"talk": file.talk.model_copy(update={"round": 2})}))
    assert caught.value.text.params["part"] == "talk"


def test_experts_who_agree_do_not_score_again(called):
    called.reach_opened()
    called.score_all()
    refused("calls.no_second_round", call_judging.note_talk, called.base, called.view(DESK), CALL, "Let us talk.")


def test_a_team_sees_its_own_claim_and_the_standing_only(called):
    called.reach_opened()
    called.score_all()
    standing = call_judging.rank_call(called.base, called.view(OWNER), CALL)
    view = called.view(called.team("globex"))
    assert [one.leader for one in view.every(TeamClaim)] == ["globex"]
    assert view.every(type(standing)) == [standing]
    refused("calls.not_yours", calls.claims_of, called.base, view, called.history)
    stranger = called.view(OTHER_OWNER)
    assert stranger.every(type(standing)) == [] == stranger.every(TeamClaim)
    refused("calls.not_yours", call_awards.file_of, called.base, view, CALL)


@pytest.mark.parametrize("part", ["claims", "panel", "scores", "replaced", "standing", "drawn"])
def test_a_file_that_was_altered_does_not_verify(called, part):
    called.reach_opened()
    first = called.panel()[0]
    called.score(first, "acme", 1, 1)
    (replaced,) = call_judging.own_scores(called.base, called.view(first), called.history).values()
    called.score_all()
    call_judging.rank_call(called.base, called.view(OWNER), CALL)
    file = call_awards.file_of(called.base, called.view(OWNER), CALL)
    require_follows(CallFile.from_json_value(file.to_json_value()))
    claim, scores = file.claims[0], file.judged.scores
    cheaper = claim.model_copy(update={"terms": claim.terms.model_copy(update={"price": "1"})})
    better = scores[-1].model_copy(update={"points": (5, 5)})
    lines = file.standing.lines
    newer = next(one for one in scores if (one.claim, one.reviewer) == (replaced.claim, replaced.reviewer))
    older = tuple(replaced if one is newer else one for one in scores)
    changed = {
        "claims": {"claims": (cheaper, *file.claims[1:])},
        "panel": {"judged": file.judged.model_copy(update={"scores": scores[1:]})},
        "scores": {"judged": file.judged.model_copy(update={"scores": (*scores[:-1], better)})},
        "replaced": {"judged": file.judged.model_copy(update={"scores": older})},
        "standing": {"standing": file.standing.model_copy(update={"lines": (lines[1], lines[0], *lines[2:])})},
        "drawn": {"opened": file.opened.model_copy(update={"drawn": file.opened.drawn[::-1]})},
    }[part]
    with pytest.raises(InvalidProofError) as caught:
        require_follows(file.model_copy(update=changed))
    assert caught.value.text.params["part"] == {"replaced": "scores"}.get(part, part)
    assert isinstance(caught.value, PilotbaseError) and not isinstance(caught.value, RefusedError)


TENDER = {"measure": "accuracy", "cases": 200, "margin": 0.01, "tolerance": 0.05}
GUESS = "def predict(batch):\n    return ['broken' if p > 7 else 'fine' for p in batch['pressure']]\n"


@pytest.mark.prove
def test_a_tender_between_the_teams_gives_its_points(called, tmp_path):
    """A team shown to be worse stands below; two that the cases cannot tell apart are level, and price decides."""
    called.scenario = "scenario:plant/small-alarm"
    take_scenario(called.base, called.view(OWNER), writing_scenario(tmp_path)())
    called.trial.do(OWNER, called.scenario, Act.SCENARIO_SUBMIT)
    called.trial.do(DESK, called.scenario, Act.SCENARIO_OPEN)
    called.publish(weight_tender=40, weight_experts=30, tender=TENDER)
    write = writing_application(tmp_path)
    for team, program in {"acme": BAD, "globex": GUESS, "initech": GUESS, "wayne": GOOD}.items():
        application = f"application:{team}/{team}"
        take_application(called.base, called.view(called.team(team)), write(program, team, team), called.scenario)
        called.trial.do(called.team(team), application, Act.APPLICATION_SUBMIT)
        called.claim(team, application=application)
    called.name()
    order = (call_judging.order_tender, called.base, called.view(OWNER), CALL)
    refused("calls.not_now", *order)
    called.clock.pass_days(30)
    called.open()
    called.score_all(points=dict.fromkeys(TEAMS, (3, 3)))
    refused("calls.tender_undecided", call_judging.rank_call, called.base, called.view(OWNER), CALL)
    tender = call_judging.order_tender(*order[1:])
    assert call_judging.order_tender(*order[1:]) == tender
    refused("calls.tender_undecided", call_judging.rank_call, called.base, called.view(OWNER), CALL)
    refused("record.not_found", call_judging.order_tender, called.base, called.view(OTHER_OWNER), CALL)
    work, states = JobWorker(called.base, "w1"), []
    while (done := work.work_once()) is not None:
        states.append((done[0].kind, done[1].value))
    assert ("tender", "done") in states, states
    standing = call_judging.rank_call(called.base, called.view(OWNER), CALL)
    points = {one.leader: one.tender for one in standing.lines}
    assert points["wayne"] == 100 > points["globex"] == points["initech"] > points["acme"]
    assert [one.leader for one in standing.lines] == ["wayne", "initech", "globex", "acme"]
    file = call_awards.file_of(called.base, called.view(OWNER), CALL)
    require_follows(file)
    with pytest.raises(InvalidProofError):
        require_follows(file.model_copy(update={"tender": None}))
