"""Datasets and agreements move as records do, and what the gate reads of them follows each step."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, update

from pilotbase.catalogue.my_work import my_work
from pilotbase.catalogue.saving import save
from pilotbase.catalogue.subjects import act_of_new
from pilotbase.data.terms.gate import judge, permit
from pilotbase.data.terms.templates import OfferLimits, offer_for
from pilotbase.documents.errors import InputError, InvalidProofError, RefusedError
from pilotbase.documents.permissions import Act
from pilotbase.documents.terms import Request
from pilotbase.documents.vocabularies import Opening
from pilotbase.workspace import terms_rows
from pilotbase.workspace.checks.reconciliation import verify_store, verify_tables
from tests.catalogue.agreements_for_tests import AGREEMENT, DATASET, agree, agreement, dataset, publish
from tests.catalogue.records_for_tests import (
    DESK,
    MACHINE,
    OTHER_SUPPLIER,
    OWNER,
    REGULATOR,
    SUPPLIER,
    VISITOR,
    Trial,
    digest,
)

ASKED = Request(
    target=DATASET,
    action="pb:computeOn",
    by="acme",
    purpose="pb:verification",
    recipient="acme",
    channel="pb:report",
    rows=10,
)


def lets_in(trial: Trial, asked: Request = ASKED) -> bool:
    return judge(trial.store.as_actor(MACHINE), asked).permitted


def test_an_agreement_opens_from_the_moment_it_is_agreed_until_it_is_revoked(any_trial: Trial) -> None:
    trial = any_trial
    what = publish(trial, dataset())
    trial.do(OWNER, AGREEMENT, Act.AGREEMENT_OFFER, agreement(what))
    waiting = [item["act"] for item in map(dict_of, my_work(trial.store.as_actor(SUPPLIER)).tasks)]
    assert waiting == ["agreement.agree"]
    assert not lets_in(trial)
    trial.do(SUPPLIER, AGREEMENT, Act.AGREEMENT_AGREE)
    assert lets_in(trial)
    trial.do(MACHINE, AGREEMENT, Act.AGREEMENT_BEGIN)
    assert lets_in(trial)
    permit(trial.store.as_actor(MACHINE), ASKED, digest("use"))
    assert trial.do(OWNER, AGREEMENT, Act.AGREEMENT_REVOKE).state == "revoked"
    assert not lets_in(trial)
    verify_store(trial.store)


def dict_of(item: object) -> dict[str, object]:
    return item if isinstance(item, dict) else vars(item)


@pytest.mark.parametrize("act", [Act.AGREEMENT_END, Act.AGREEMENT_REVOKE])
def test_before_it_is_agreed_either_side_may_let_it_be(trial: Trial, act: Act) -> None:
    what = publish(trial, dataset())
    trial.do(OWNER, AGREEMENT, Act.AGREEMENT_OFFER, agreement(what))
    trial.do(SUPPLIER if act is Act.AGREEMENT_END else OWNER, AGREEMENT, act)
    with pytest.raises(RefusedError):
        trial.do(SUPPLIER, AGREEMENT, Act.AGREEMENT_AGREE)
    assert not lets_in(trial)


def test_time_begins_and_ends_it_whether_or_not_the_base_has_noted_it(trial: Trial, clock) -> None:
    agree(trial, publish(trial, dataset()), begins="2026-05-03", ends="2026-05-04")
    for moment, holds in (("2026-05-02T23:59:59", False), ("2026-05-03T00:00:00", True), ("2026-05-04T23:59:59", True)):
        clock.now = datetime.fromisoformat(moment).replace(tzinfo=UTC)
        assert lets_in(trial) == holds, moment
    with pytest.raises(RefusedError, match="has not passed"):
        trial.do(MACHINE, AGREEMENT, Act.AGREEMENT_EXPIRE)
    clock.step(1)
    assert not lets_in(trial)
    assert trial.do(MACHINE, AGREEMENT, Act.AGREEMENT_EXPIRE).state == "expired"


def test_who_takes_up_the_published_offer_takes_it_word_for_word(trial: Trial) -> None:
    what = publish(trial, dataset())
    wider = offer_for(Opening.COMPUTE_TO_DATA, "plant", DATASET)
    with pytest.raises(RefusedError, match="not the published offer"):
        trial.do(SUPPLIER, AGREEMENT, Act.AGREEMENT_TAKE, agreement(what, offer=wider))
    assert trial.do(SUPPLIER, AGREEMENT, Act.AGREEMENT_TAKE, agreement(what)).state == "agreed"
    assert lets_in(trial)


def test_after_a_revocation_the_published_offer_waits_for_the_owner(any_trial: Trial, clock) -> None:
    trial = any_trial
    what = publish(trial, dataset())
    trial.do(SUPPLIER, AGREEMENT, Act.AGREEMENT_TAKE, agreement(what))
    trial.do(OWNER, AGREEMENT, Act.AGREEMENT_REVOKE)
    with pytest.raises(RefusedError, match="was revoked"):
        trial.do(SUPPLIER, "agreement:a2", Act.AGREEMENT_TAKE, agreement(what))
    assert chosen(trial, SUPPLIER) is Act.AGREEMENT_ASK
    assert trial.do(SUPPLIER, "agreement:a2", Act.AGREEMENT_ASK, agreement(what)).state == "asked"
    assert not lets_in(trial)
    assert [item["act"] for item in map(dict_of, my_work(trial.store.as_actor(OWNER)).tasks)] == ["agreement.grant"]
    with pytest.raises(RefusedError):
        trial.do(SUPPLIER, "agreement:a2", Act.AGREEMENT_GRANT)
    clock.step(1)
    assert trial.do(OWNER, "agreement:a2", Act.AGREEMENT_GRANT).state == "agreed"
    assert lets_in(trial)
    trial.do(SUPPLIER, "agreement:a2", Act.AGREEMENT_END)
    assert chosen(trial, SUPPLIER) is Act.AGREEMENT_TAKE, "consented to anew since"
    verify_store(trial.store)


def test_what_is_asked_is_refused_or_given_up_and_others_are_not_barred(trial: Trial) -> None:
    what = publish(trial, dataset())
    agree(trial, what)
    trial.do(OWNER, AGREEMENT, Act.AGREEMENT_REVOKE)
    for number, (who, act) in enumerate(((SUPPLIER, Act.AGREEMENT_END), (OWNER, Act.AGREEMENT_REVOKE))):
        trial.do(SUPPLIER, f"agreement:b{number}", Act.AGREEMENT_ASK, agreement(what))
        trial.do(who, f"agreement:b{number}", act)
        assert chosen(trial, SUPPLIER) is Act.AGREEMENT_ASK
    assert not lets_in(trial)
    assert chosen(trial, OTHER_SUPPLIER) is Act.AGREEMENT_TAKE
    other = agreement(what, assignee=OTHER_SUPPLIER.organisation)
    assert trial.do(OTHER_SUPPLIER, "agreement:c1", Act.AGREEMENT_TAKE, other).state == "agreed"


def test_an_offer_by_name_or_a_revocation_that_lets_them_return_bars_nobody(trial: Trial, clock) -> None:
    what = publish(trial, dataset())
    agree(trial, what)
    trial.do(OWNER, AGREEMENT, Act.AGREEMENT_RELEASE)
    assert not lets_in(trial)
    assert trial.do(SUPPLIER, "agreement:a2", Act.AGREEMENT_TAKE, agreement(what)).state == "agreed"
    trial.do(OWNER, "agreement:a2", Act.AGREEMENT_REVOKE)
    assert chosen(trial, SUPPLIER) is Act.AGREEMENT_ASK
    clock.step(1)
    trial.do(OWNER, "agreement:a3", Act.AGREEMENT_OFFER, agreement(what))
    assert chosen(trial, SUPPLIER) is Act.AGREEMENT_TAKE


def test_who_let_an_agreement_expire_may_take_the_offer_up_at_once(trial: Trial, clock) -> None:
    what = publish(trial, dataset())
    agree(trial, what, ends="2026-05-03")
    clock.now = datetime(2026, 5, 4, tzinfo=UTC)
    trial.do(MACHINE, AGREEMENT, Act.AGREEMENT_EXPIRE)
    assert trial.do(SUPPLIER, "agreement:a2", Act.AGREEMENT_TAKE, agreement(what)).state == "agreed"


def chosen(trial: Trial, who) -> Act:
    return act_of_new(trial.store.as_actor(who), DATASET)


def test_nobody_offers_what_is_not_theirs_or_not_published(trial: Trial) -> None:
    what = publish(trial, dataset())
    stolen = agreement(what, assigner="hospital", offer=offer_for(Opening.OPEN, "hospital", DATASET))
    owner = OWNER.__class__("hospital", OWNER.roles, "p-other-owner")
    with pytest.raises(RefusedError, match="has not published a dataset"):
        trial.do(owner, AGREEMENT, Act.AGREEMENT_OFFER, stolen)
    with pytest.raises(RefusedError):
        trial.do(OWNER, AGREEMENT, Act.AGREEMENT_OFFER, agreement(dataset("1.1.0")))
    with pytest.raises(InputError, match="past"):
        trial.do(OWNER, AGREEMENT, Act.AGREEMENT_OFFER, agreement(what, ends="2026-04-30"))
    trial.do(OWNER, DATASET, Act.DATASET_WITHDRAW)
    with pytest.raises(RefusedError, match="published"):
        trial.do(OWNER, AGREEMENT, Act.AGREEMENT_OFFER, agreement(what))


def test_a_withdrawn_dataset_is_read_no_more_whatever_was_agreed(trial: Trial) -> None:
    agree(trial, publish(trial, dataset()))
    assert lets_in(trial)
    trial.do(DESK, DATASET, Act.DATASET_WITHDRAW)
    assert not lets_in(trial)
    verify_store(trial.store)


def test_a_dataset_is_published_complete_on_its_own_terms_and_without_closed_records(trial: Trial) -> None:
    foreign = offer_for(Opening.COMPUTE_TO_DATA, "plant", "dataset:plant/other")
    bare = dataset(
        publisher=None,
        license="tbd",
        usageInfo=foreign,
        distribution=[{"kind": "file", "id": "logs.csv", "sha256": "0" * 64}, {"kind": "file", "id": "b.csv"}],
        recordSet=[{"name": "r", "inline": '[{"torque": 41.5}]', "field": [{"name": "torque"}]}],
    )
    trial.do(OWNER, DATASET, Act.DATASET_REGISTER, bare)
    with pytest.raises(InputError) as caught:
        trial.do(OWNER, DATASET, Act.DATASET_PUBLISH)
    assert [issue.path for issue in caught.value.issues] == [
        *("publisher", "license", "distribution[0].encodingFormat", "distribution[0].contentSize"),
        *("distribution[1].encodingFormat", "distribution[1].commitment", "distribution[1].contentSize"),
        *("recordSet[0].inline", "recordSet[0].field[0].dataType", "distribution[0].sha256", "usageInfo.target"),
    ]
    inline = [{"name": "r", "inline": "[]", "field": [{"name": "torque", "dataType": "sc:Float"}]}]
    trial.do(OWNER, DATASET, Act.DATASET_EDIT, dataset(opening=Opening.OPEN, recordSet=inline))
    assert trial.do(OWNER, DATASET, Act.DATASET_PUBLISH).state == "published"


def test_saved_again_a_draft_is_edited_and_a_published_one_is_revised(trial: Trial) -> None:
    view = trial.store.as_actor(OWNER)
    assert save(view, dataset()).state == "draft"
    assert save(view, dataset(publisher="Plant Ltd")).history[-1].act is Act.DATASET_EDIT
    trial.do(OWNER, DATASET, Act.DATASET_PUBLISH)
    agree(trial, dataset(publisher="Plant Ltd"))
    with pytest.raises(InputError, match="not later"):
        save(view, dataset())
    assert save(view, dataset("1.10.0")).history[-1].act is Act.DATASET_REVISE
    assert lets_in(trial)
    save(view, dataset("2.0.0"))
    assert not lets_in(trial), "a new first number asks for a new agreement"


def test_the_description_is_everybodys_and_the_agreement_its_parties(trial: Trial) -> None:
    draft = dataset()
    trial.do(OWNER, DATASET, Act.DATASET_REGISTER, draft)
    assert trial.store.as_actor(VISITOR).get(draft.digest()) is None
    trial.do(OWNER, DATASET, Act.DATASET_PUBLISH)
    assert trial.store.as_actor(VISITOR).get(draft.digest()) is not None
    agreed = agree(trial, draft)
    for who, sees in ((OWNER, True), (SUPPLIER, True), (REGULATOR, True), (OTHER_SUPPLIER, False), (VISITOR, False)):
        assert (trial.store.as_actor(who).get(agreed.digest()) is not None) == sees


def test_rows_that_were_changed_behind_the_log_are_named(trial: Trial) -> None:
    agree(trial, publish(trial, dataset()))
    permit(trial.store.as_actor(MACHINE), ASKED, digest("use"))
    trial.do(OWNER, AGREEMENT, Act.AGREEMENT_REVOKE)
    verify_store(trial.store)
    rows = terms_rows
    for forged, code in (
        (update(rows.agreements).values(state="in_force"), "log.listing_differs"),
        (update(rows.agreements).values(assignee="globex"), "log.listing_differs"),
        (update(rows.agreements).values(ends=None), "log.listing_differs"),
        (update(rows.datasets).values(opening="open"), "log.listing_differs"),
        (update(rows.uses).values(rows=0), "log.use_differs"),
        (delete(rows.uses), "log.use_differs"),
    ):
        with pytest.raises(InvalidProofError) as caught, trial.store.database.write() as connection:
            connection.execute(forged)
            verify_tables(connection, trial.store.key.verifier)
        assert caught.value.code == code


@pytest.mark.parametrize("act", [Act.AGREEMENT_OFFER, Act.AGREEMENT_TAKE])
def test_purposes_that_the_offer_does_not_know_are_refused_with_those_that_it_knows(trial: Trial, act: Act) -> None:
    limits = OfferLimits(purposes=("pb:verification", "pb:statistics"), epsilon=10)
    what = publish(trial, dataset(usageInfo=offer_for(Opening.COMPUTE_TO_DATA, "plant", DATASET, limits)))
    who = OWNER if act is Act.AGREEMENT_OFFER else SUPPLIER
    with pytest.raises(InputError) as caught:
        trial.do(who, AGREEMENT, act, agreement(what, purposes=["pb:verification", "statistics"]))
    assert caught.value.render("en").startswith(
        "The terms do not cover statistics; they cover: pb:verification, pb:statistics."
    )
    assert "不适用于用途 statistics；可用的用途：pb:verification, pb:statistics" in caught.value.render("zh")
    trial.do(who, AGREEMENT, act, agreement(what, purposes=["pb:verification", "pb:statistics"]))


def test_where_an_offer_asks_for_no_purpose_any_may_be_agreed_on(trial: Trial) -> None:
    what = publish(trial, dataset(opening=Opening.OPEN))
    trial.do(SUPPLIER, AGREEMENT, Act.AGREEMENT_TAKE, agreement(what, purposes=["DUO:0000042"]))
