"""A leave opens what it is for, while its terms hold, and nothing else: the vault looks itself."""

from collections.abc import Callable
from dataclasses import replace

import polars as pl
import pytest

from pilotbase.documents.board import BoardSubmission
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.hashes import digest_bytes
from pilotbase.documents.plan import ApplicationReference
from pilotbase.documents.scenario import Contact
from pilotbase.documents.terms import AccessGrant, LegalBasis, Use
from pilotbase.vault.envelopes import open_envelope, seal_envelope
from pilotbase.vault.opening import FOR_OWNER, OpeningPurpose, ReaderGrant, open_hidden, require_still
from pilotbase.vault.place import Vault
from pilotbase.vault.sealing import HiddenSet, SealTerms, seal
from pilotbase.workspace.actors import parties
from pilotbase.workspace.terms_rows import AgreementRow, DatasetRow, put_agreement, put_dataset
from pilotbase.workspace.uses import keep_use

SCENARIO, KEY, VERSION = (digest_bytes(word) for word in (b"scenario", b"use", b"dataset"))
DATASET, AGREEMENT = "dataset:plant/logs", "agreement:a1"
OTHER = digest_bytes(b"a download")
LEAVE = AccessGrant(LegalBasis.AGREEMENT, AGREEMENT, DATASET, KEY)


def dataset_set(vault: Vault, rows: pl.DataFrame, dataset: str | None = DATASET) -> HiddenSet:
    """Seal rows of a dataset on which an agreement is in force, with one use counted."""
    with vault.view.transaction("test.terms") as change:
        put_dataset(change.connection, DatasetRow(DATASET, "plant", "published", VERSION, "1.0.0", "on_terms"))
        put_agreement(
            change.connection, AgreementRow(AGREEMENT, DATASET, "plant", "acme", "in_force", digest_bytes(b"terms"))
        )
        count(change, AGREEMENT)
    return seal(vault, rows, SealTerms(SCENARIO, "plant", 0.05, 5, chunk_rows=300, dataset=dataset))


def count(change, ground: str, target: str = DATASET, **changed: object) -> None:
    """Count a use by a supplier, which is not the owner."""
    said = dict.fromkeys(("version", "person", "purpose", "recipient", "channel"), "")
    spent = dict.fromkeys(("epsilon", "rows", "epsilon_so_far", "rows_so_far"), 0)
    named = {"ground": ground, "place": 1, "request": KEY, "target": target, "action": "pb:computeOn"}
    use = Use(**{**named, **said, **spent, **changed}, organisation="acme", used_at=change.now)
    keep_use(change, use)


def set_state(vault: Vault, state: str) -> None:
    with vault.view.store.database.write() as connection:
        connection.exec_driver_sql(f"UPDATE agreements SET state = '{state}'")


def opened(
    vault: Vault, hidden_set: HiddenSet, leave: AccessGrant, purpose: OpeningPurpose = OpeningPurpose.TRIAL
) -> int:
    return sum(part.frame.height for part in open_hidden(vault, hidden_set, ReaderGrant(purpose, leave)))


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(RefusedError) as caught:
        act()
    return caught.value.code


def test_rows_of_a_dataset_open_under_its_agreement_until_it_is_revoked(any_vault: Vault, rows: pl.DataFrame) -> None:
    hidden_set = dataset_set(any_vault, rows)
    assert opened(any_vault, hidden_set, LEAVE) == 1000
    set_state(any_vault, "revoked")
    before = len(any_vault.view.log_entries())
    assert refused(lambda: open_hidden(any_vault, hidden_set, ReaderGrant(OpeningPurpose.TRIAL, LEAVE))) == (
        "terms.not_standing"
    )
    assert len(any_vault.view.log_entries()) == before


def test_a_revocation_stops_the_next_chunk_of_a_reading_under_way(any_vault: Vault, rows: pl.DataFrame) -> None:
    reading = open_hidden(any_vault, dataset_set(any_vault, rows), ReaderGrant(OpeningPurpose.TRIAL, LEAVE))
    next(reading)
    set_state(any_vault, "ended")
    assert refused(lambda: next(reading)) == "terms.not_standing"
    assert refused(lambda: require_still(any_vault, LEAVE)) == "terms.not_standing"


@pytest.mark.parametrize("purpose", OpeningPurpose)
def test_an_owners_leave_opens_nothing_for_somebody_elses_application(
    vault: Vault, rows: pl.DataFrame, purpose: OpeningPurpose
) -> None:
    own, foreign = AccessGrant.of_owner("plant"), AccessGrant.of_owner("acme")
    for hidden_set in (dataset_set(vault, rows), seal(vault, rows, SealTerms(SCENARIO, "plant", 0.05, 5))):
        if purpose in FOR_OWNER:
            assert opened(vault, hidden_set, own, purpose) == 1000
        else:
            assert refused(lambda: opened(vault, hidden_set, own, purpose)) == "terms.foreign_leave"  # noqa: B023
        assert refused(lambda: opened(vault, hidden_set, foreign, purpose)) == "terms.foreign_leave"  # noqa: B023


def test_a_leave_for_something_else_or_made_up_opens_nothing(vault: Vault, rows: pl.DataFrame) -> None:
    hidden_set = dataset_set(vault, rows)
    paper = digest_bytes(b"a plan")
    with vault.view.transaction("test.counted") as change:
        count(change, paper, paper)
        count(change, DATASET)
        count(change, AGREEMENT, request=OTHER, place=2, action="odrl:use")
    for leave in (
        replace(LEAVE, use=digest_bytes(b"never counted")),
        replace(LEAVE, use=None),
        replace(LEAVE, by="agreement:none"),
        replace(LEAVE, target="dataset:plant/other"),
        replace(LEAVE, ground=LegalBasis.OFFER),
        replace(LEAVE, ground=LegalBasis.OWNER),
        AccessGrant(LegalBasis.OWNER, DATASET, DATASET, digest_bytes(b"never counted")),
        AccessGrant(LegalBasis.OWNER, DATASET, DATASET, KEY),
        AccessGrant(LegalBasis.AGREEMENT, AGREEMENT, DATASET, OTHER),
        AccessGrant(LegalBasis.PAPER, paper, paper, KEY),
    ):
        assert refused(lambda: opened(vault, hidden_set, leave)) in ("terms.foreign_leave", "terms.not_standing")  # noqa: B023
    of_none = seal(vault, rows, SealTerms(SCENARIO, "plant", 0.05, 5))
    for leave in (LEAVE, AccessGrant(LegalBasis.PAPER, paper, paper, KEY)):
        assert refused(lambda: opened(vault, of_none, leave)) == "terms.foreign_leave"  # noqa: B023


def test_a_counted_submission_opens_the_set_that_it_is_about_and_no_other(vault: Vault, rows: pl.DataFrame) -> None:
    named = digest_bytes(b"an application")
    who = ApplicationReference(
        name="a", version="1", supplier=Contact(organisation="acme"), digest=named, environment=named
    )
    about, other = (
        seal(vault, rows, SealTerms(digest_bytes(scenario), "plant", 0.05, 5)) for scenario in (b"one", b"another")
    )
    now = vault.view.store.clock()
    submission = BoardSubmission(board=about.digest(), sealed=named, application=who, number=1, submitted_at=now)
    with vault.view.transaction("test.submitted") as change:
        paper = change.put(submission, parties("acme"), owner="plant")
        count(change, paper, paper)
    leave = AccessGrant(LegalBasis.PAPER, paper, paper, KEY)
    assert opened(vault, about, leave, OpeningPurpose.BOARD) == 1000
    assert refused(lambda: opened(vault, other, leave, OpeningPurpose.BOARD)) == "terms.foreign_leave"


def test_an_envelope_opens_for_its_owners_work_alone(vault: Vault, rows: pl.DataFrame) -> None:
    context = digest_bytes(b"plan")
    sealed = seal_envelope(vault, "plant", context, b"records")
    assert open_envelope(vault, "plant", context, sealed, ReaderGrant.of_owner("plant")) == b"records"
    for grant in (
        ReaderGrant.of_owner("acme"),
        ReaderGrant(OpeningPurpose.TRIAL, AccessGrant.of_owner("plant")),
        ReaderGrant(OpeningPurpose.OWNER, LEAVE),
    ):
        assert refused(lambda: open_envelope(vault, "plant", context, sealed, grant)) == "terms.foreign_leave"  # noqa: B023
