"""Profiles: claims beside what records show, as each reader sees it; capabilities stated, matched and withdrawn."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from pilotbase.catalogue.capabilities import read_capability, state_all, state_capability, withdraw_capability
from pilotbase.catalogue.saving import save
from pilotbase.documents.capability import Capability, CapabilityKind
from pilotbase.documents.errors import InputError, InvalidProofError, RefusedError
from pilotbase.documents.subjects import Organisation
from pilotbase.documents.vocabularies import Fit
from pilotbase.matching.concepts import CharacterComparer
from pilotbase.matching.judging import match, match_back
from pilotbase.matching.pairs import offer_of_capability, proofs_of_capabilities
from pilotbase.worker.matching import match_subject, providers_of
from pilotbase.worker.profiles import list_capabilities, profile_of
from pilotbase.workspace import tables
from pilotbase.workspace.checks.reconciliation import verify_store
from pilotbase.workspace.failures import NotFoundError
from tests.catalogue.records_for_tests import DESK, OTHER_SUPPLIER, OWNER, SUPPLIER, VISITOR
from tests.matching.pairs_for_tests import need, proven
from tests.matching.test_finding import hand_in, publish


def capability(store, organisation="acme", name="spindles", **changes):
    value = {
        "organisation": organisation,
        "name": name,
        "kind": "provider",
        "title": {"en": "Spindle monitoring", "zh": "主轴监测集成"},
        "summary": {"en": "We watch spindles of mills.", "zh": "监测铣床主轴失效。"},
        "sectors": ["manufacturing"],
        "tasks": ["classification"],
        "stated_at": store.clock(),
    }
    return Capability.model_validate({**value, **changes})


@pytest.fixture
def store(any_store):
    for name in ("acme", "globex"):
        save(any_store.as_actor(DESK), Organisation(name=name, title=name.title(), roles=("supplier",)))
    return any_store


def state(store, who=SUPPLIER, **changes):
    return state_capability(store.as_actor(who), capability(store, who.organisation, **changes))


def test_what_is_stated_is_found_by_everybody_until_it_is_withdrawn(store, clock):
    made = state(store)
    assert [one.subject for one in list_capabilities(store.as_actor(OWNER))] == [made.subject]
    assert [one.subject for one in list_capabilities(store.as_actor(OWNER), "主轴")] == [made.subject]
    assert not list_capabilities(store.as_actor(OWNER), kind=CapabilityKind.EXPERT)
    withdraw_capability(store.as_actor(SUPPLIER), made.subject)
    withdraw_capability(store.as_actor(SUPPLIER), made.subject)
    for who in (OWNER, VISITOR, SUPPLIER):
        assert not list_capabilities(store.as_actor(who))
    with pytest.raises(NotFoundError):
        profile_of(store.as_actor(OWNER), made.subject)
    assert read_capability(store.as_actor(SUPPLIER), made.subject).withdrawn
    clock.now += timedelta(seconds=1)
    assert state(store).withdrawn is False and len(list_capabilities(store.as_actor(OWNER))) == 1


def test_nobody_speaks_for_another_organisation_but_the_operator(store):
    with pytest.raises(NotFoundError):
        state_capability(store.as_actor(OTHER_SUPPLIER), capability(store, "acme"))
    state_capability(store.as_actor(DESK), capability(store, "acme"))
    with pytest.raises(RefusedError):
        withdraw_capability(store.as_actor(OTHER_SUPPLIER), "capability:acme/spindles")
    with pytest.raises(InputError, match="nobody"):
        state_capability(store.as_actor(DESK), capability(store, "nobody"))


def test_the_same_again_changes_nothing_and_after_a_year_it_confirms(store, clock):
    first = state(store)
    clock.now += timedelta(days=300)
    assert state(store) == first
    clock.now += timedelta(days=100)
    assert profile_of(store.as_actor(OWNER), first.subject).stale
    assert state(store).stated_at > first.stated_at
    assert not profile_of(store.as_actor(OWNER), first.subject).stale


def test_several_are_stated_together_or_not_at_all(store):
    with pytest.raises(InputError):
        state_all(store.as_actor(DESK), [capability(store), capability(store, "nobody")], "capabilities.imported")
    assert not list_capabilities(store.as_actor(OWNER))
    both = [capability(store), capability(store, "globex")]
    assert state_all(store.as_actor(DESK), both, "capabilities.imported") == 2
    assert state_all(store.as_actor(DESK), both, "capabilities.imported") == 0


def test_claims_outrank_no_certificate(store):
    asked = need()
    perfect = capability(store, "globex", summary=asked.sentences[0], title=asked.sentences[0])
    modest = capability(store, "acme", summary="Milling.", title="Mills")
    proofs = proofs_of_capabilities([perfect, modest], [proven(tried=asked)])
    found = match(asked, [offer_of_capability(one) for one in (perfect, modest)], proofs, CharacterComparer())
    assert [one.owner for one in found] == ["acme", "globex"]
    assert found[1].words > (found[0].words or 0) and found[0].evidence == 0.5 and found[1].evidence == 0
    assert {one.code for one in found[1].claims} == {"match.claims.sector", "match.claims.task"}


@pytest.mark.parametrize("kind", ["expert", "dataset", "model", "computing"])
def test_a_certificate_of_an_organisation_proves_nothing_about_what_it_offers_besides(store, kind):
    assert proofs_of_capabilities([capability(store, kind=kind)], [proven()]) == []


@pytest.mark.parametrize("kind", ["dataset", "model", "computing"])
def test_data_models_and_computing_power_are_found_by_who_may_use_them_and_find_them(store, kind):
    milling, offered = publish(store), state(store, kind=kind)
    found = providers_of(store.as_actor(OWNER), milling)
    assert [one.subject for one in found.ranked] == [offered.subject]
    assert [one.subject for one in match_subject(store.as_actor(SUPPLIER), offered.subject).ranked] == [milling]


def test_what_limits_work_is_where_and_in_which_language(store):
    asked = need(conditions={"languages": ["zh"], "region": "CN-31", "licences": ["MIT"]})
    offers = {
        "fits": capability(store, languages=["zh", "en"], regions=["CN"]),
        "refused": capability(store, languages=["en"], regions=["CN"]),
        "missing": capability(store),
    }
    for fit, one in offers.items():
        (found,) = match(asked, [offer_of_capability(one)], [], CharacterComparer())
        assert found.fit == Fit(fit) and {check.constraint for check in found.checks} == {"language", "region"}
        (back,) = match_back(offer_of_capability(one), [asked], [], CharacterComparer())
        assert back.fit == found.fit and back.known_by == "scenario"


def test_both_ways_are_found_in_the_store_and_nothing_hidden_has_a_place(store):
    scenario, made = publish(store), state(store)
    other = state(store, OTHER_SUPPLIER, title="Loans", summary={"en": "Credit scoring.", "zh": "贷款评分。"})
    found = providers_of(store.as_actor(OWNER), scenario)
    assert [one.subject for one in found.ranked] == [made.subject] and found.listed == 2
    assert [one.subject for one in found.distant] == [other.subject]
    assert [one.subject for one in match_subject(store.as_actor(SUPPLIER), made.subject).ranked] == [scenario]
    withdraw_capability(store.as_actor(SUPPLIER), made.subject)
    assert providers_of(store.as_actor(OWNER), scenario).listed == 1
    applications = match_subject(store.as_actor(OWNER), scenario)
    assert applications.listed == 0, "a capability is no application"


def test_an_organisation_of_which_the_reader_sees_nothing_has_no_profile(store):
    with pytest.raises(NotFoundError):
        profile_of(store.as_actor(OWNER), "organisation:globex")
    state(store, OTHER_SUPPLIER)
    found = profile_of(store.as_actor(OWNER), "organisation:globex")
    assert [one.subject for one in found.links] == ["capability:globex/spindles"]
    assert (found.accepted, found.evidence) == (0, 0)
    for unknown in ("organisation:none", "capability:acme/none", "application:acme/none", "dataset:plant/none"):
        with pytest.raises(NotFoundError):
            profile_of(store.as_actor(OWNER), unknown)


def test_an_application_that_is_not_certified_only_claims(store):
    publish(store)
    subject = hand_in(store, offer={"published": True, "languages": ["zh"]}, licence="MIT")
    found = profile_of(store.as_actor(OWNER), subject)
    claimed = {one.what.code.rpartition(".")[2]: one.value for one in found.claims}
    assert claimed["language"] == "zh" and claimed["licence"] == "MIT"
    assert (found.accepted, found.rejected, found.withheld, found.evidence) == (0, 0, 0, 0)


@pytest.mark.parametrize("column", ["state", "digest", "scope"])
def test_a_listing_that_was_altered_is_found_by_the_check(store, column):
    made = state(store)
    altered = {column: {"state": "stated", "digest": made.digest(), "scope": "public"}[column]}
    withdraw_capability(store.as_actor(SUPPLIER), made.subject)
    state(store, OTHER_SUPPLIER)
    verify_store(store)
    with store.database.write() as connection:
        of_one = tables.listings.c.subject == made.subject
        connection.execute(update(tables.listings).where(of_one).values(**altered))
    with pytest.raises(InvalidProofError) as caught:
        verify_store(store)
    assert caught.value.code == "log.listing_differs"
