"""Files that an owner keeps: taken and shown through the gate, one use each, by nobody whom the terms leave out."""

from dataclasses import replace

import pytest

from pilotbase.data.terms.templates import OfferLimits, offer_for
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.permissions import Act
from pilotbase.documents.terms import AccessGrant, Action, Channel
from pilotbase.documents.vocabularies import Opening
from pilotbase.vault.dataset_files import PIECE, find_kept, open_file, open_preview
from pilotbase.worker.datasets.keeping import keep_files, kept_of, preview_of, take_file
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.listings import find_listing
from pilotbase.workspace.uses import uses_of
from tests.catalogue.agreements_for_tests import AGREEMENT, DATASET, agreement, dataset
from tests.catalogue.records_for_tests import DESK, MACHINE, OTHER_SUPPLIER, OWNER, SUPPLIER, VISITOR
from tests.worker.commissions_for_tests import Ordered

ROWS = 1000
NOTES = bytes(range(256)) * (PIECE // 256 + 10)
"""Two pieces."""
TABLE = b"torque,note\n1.5,steady\n2.5," + b"long " * 60 + "\n3.5,a\u202eb\n".encode() + b"4.5,x\n" * ROWS
FILES = {"logs.csv": TABLE, "notes.bin": NOTES}


@pytest.fixture
def at(base, tmp_path):
    """A base where the plant has published a dataset of a level, with an agreement, and keeps its files."""

    def at(opening: Opening):
        ordered = Ordered(base)
        what = dataset(opening=opening, files=FILES)
        ordered.do(OWNER, Act.DATASET_REGISTER, what, subject=DATASET)
        ordered.do(OWNER, Act.DATASET_PUBLISH, subject=DATASET)
        if opening is not Opening.OPEN:
            ordered.do(OWNER, Act.AGREEMENT_OFFER, agreement(what, ends=None), subject=AGREEMENT)
            ordered.do(SUPPLIER, Act.AGREEMENT_AGREE, subject=AGREEMENT)
        for name, content in FILES.items():
            (tmp_path / name).write_bytes(content)
        keep_files(base, view(base, OWNER), DATASET, [tmp_path / name for name in FILES])
        return ordered, TABLE

    return at


def view(base, who):
    return base.lab.store.as_actor(who)


def bytes_of(base, who, name="logs.csv"):
    return b"".join(take_file(base, view(base, who), DATASET, name).pieces)


def used(base):
    return [(one.organisation, one.action, one.channel) for one in uses_of(view(base, MACHINE), DATASET)]


def test_who_has_agreed_takes_a_file_as_one_use_that_is_logged(base, at):
    _, plain = at(Opening.ON_TERMS)
    assert bytes_of(base, SUPPLIER) == plain and bytes_of(base, SUPPLIER) == plain
    assert bytes_of(base, SUPPLIER, "notes.bin") == NOTES
    assert used(base) == [("acme", Action.USE, Channel.DOWNLOAD)] * 2
    opened = [one for one in view(base, MACHINE).log_entries() if one.action == "vault.dataset_opened"]
    assert [one.facts["ground"] for one in opened] == [AGREEMENT] * 3
    assert plain[:200] not in b"".join(blob_bytes(base))


def blob_bytes(base):
    kept = find_kept(base.lab.vault, DATASET, kept_version(base))
    return [base.lab.vault.blobs.get(piece) for file in kept for piece in file.pieces]


def kept_version(base):
    return find_listing(view(base, MACHINE), DATASET).digest


def test_a_revocation_stops_the_next_piece_and_every_later_read(base, at):
    ordered, _ = at(Opening.ON_TERMS)
    taken = take_file(base, view(base, SUPPLIER), DATASET, "notes.bin")
    assert next(taken.pieces) == NOTES[:PIECE]
    ordered.do(OWNER, Act.AGREEMENT_REVOKE, subject=AGREEMENT)
    with pytest.raises(RefusedError):
        next(taken.pieces)
    with pytest.raises(RefusedError):
        take_file(base, view(base, SUPPLIER), DATASET, "logs.csv")
    with pytest.raises(RefusedError):
        preview_of(base, view(base, SUPPLIER), DATASET)


def test_others_take_nothing_of_what_is_on_terms(base, at):
    at(Opening.ON_TERMS)
    for who in (OTHER_SUPPLIER, DESK, VISITOR):
        for read in (lambda who=who: bytes_of(base, who), lambda who=who: preview_of(base, view(base, who), DATASET)):
            with pytest.raises(RefusedError):
                read()
    with pytest.raises(RefusedError):
        keep_files(base, view(base, OTHER_SUPPLIER), DATASET, [])
    assert used(base) == []


def test_an_open_dataset_is_for_every_organisation(base, at):
    _, plain = at(Opening.OPEN)
    assert bytes_of(base, OTHER_SUPPLIER) == plain
    assert [one.name for one in kept_of(base, view(base, VISITOR), DATASET)] == ["logs.csv", "notes.bin"]
    with pytest.raises(RefusedError):
        bytes_of(base, VISITOR)
    with pytest.raises(NotFoundError):
        bytes_of(base, SUPPLIER, "other.csv")


def test_closed_data_give_no_row_and_no_size_whatever_was_agreed(base, at):
    _, plain = at(Opening.COMPUTE_TO_DATA)
    for who in (SUPPLIER, OTHER_SUPPLIER, DESK):
        for read in (lambda who=who: bytes_of(base, who), lambda who=who: preview_of(base, view(base, who), DATASET)):
            with pytest.raises(RefusedError) as caught:
                read()
            assert str(ROWS + 3) not in caught.value.text.render("en") and "steady" not in str(caught.value)
        assert kept_of(base, view(base, SUPPLIER), DATASET) == []
    for read in (lambda: bytes_of(base, OWNER), lambda: preview_of(base, view(base, OWNER), DATASET)):
        with pytest.raises(RefusedError) as caught:
            read()
        assert caught.value.code == "dataset.closed_on_hub"
    at_the_machine = replace(OWNER, person=None)
    assert bytes_of(base, at_the_machine) == plain and used(base) == [("plant", Action.USE, Channel.DOWNLOAD)]


def test_a_file_whose_rows_nobody_knows_is_beyond_a_limit_of_rows(base, tmp_path):
    ordered, what = Ordered(base), dataset(opening=Opening.ON_TERMS, files=FILES)
    usage = offer_for(Opening.ON_TERMS, "plant", DATASET, OfferLimits(rows=10**6))
    what = what.model_copy(update={"usage": usage})
    ordered.do(OWNER, Act.DATASET_REGISTER, what, subject=DATASET)
    ordered.do(OWNER, Act.DATASET_PUBLISH, subject=DATASET)
    ordered.do(OWNER, Act.AGREEMENT_OFFER, agreement(what, ends=None), subject=AGREEMENT)
    ordered.do(SUPPLIER, Act.AGREEMENT_AGREE, subject=AGREEMENT)
    (tmp_path / "notes.bin").write_bytes(NOTES)
    keep_files(base, view(base, OWNER), DATASET, [tmp_path / "notes.bin"])
    with pytest.raises(RefusedError):
        bytes_of(base, SUPPLIER, "notes.bin")


def test_a_preview_says_that_it_is_partial_and_hides_nothing(base, at):
    at(Opening.ON_TERMS)
    found = preview_of(base, view(base, SUPPLIER), DATASET)
    assert (found.partial, found.rows_in_all, len(found.cells), found.columns) == (
        *(True, ROWS + 3, 20),
        ["torque", "note"],
    )
    assert len(found.cells[1][1]) == 101 and found.cells[1][1].endswith("…")
    assert found.cells[2][1] == "a⟨U+202E⟩b"
    assert preview_of(base, view(base, SUPPLIER), DATASET) == found
    assert used(base) == [("acme", Action.DISPLAY, Channel.PREVIEW)]


def test_a_leave_for_one_way_out_opens_no_other(base, at):
    at(Opening.ON_TERMS)
    preview_of(base, view(base, SUPPLIER), DATASET)
    (use,) = uses_of(view(base, MACHINE), DATASET)
    shown = AccessGrant("agreement", use.ground, DATASET, use.request)
    kept = find_kept(base.lab.vault, DATASET, kept_version(base))[0]
    assert open_preview(base.lab.vault, kept, shown) is not None
    for leave in (shown, AccessGrant.of_owner("plant"), AccessGrant("agreement", use.ground, DATASET, None)):
        with pytest.raises(RefusedError):
            open_file(base.lab.vault, kept, leave)


def test_only_files_that_the_description_names_are_kept(base, at, tmp_path):
    at(Opening.OPEN)
    other = tmp_path / "other.csv"
    other.write_text("a\n1\n")
    with pytest.raises(InputError) as caught:
        keep_files(base, view(base, OWNER), DATASET, [other])
    assert "logs.csv" in caught.value.text.render("en")
    other.unlink()


def test_other_bytes_than_the_description_says_are_not_kept(base, at, tmp_path):
    at(Opening.ON_TERMS)
    (tmp_path / "logs.csv").write_bytes(TABLE + b"5.5,y\n")
    with pytest.raises(InputError) as caught:
        keep_files(base, view(base, OWNER), DATASET, [tmp_path / "notes.bin", tmp_path / "logs.csv"])
    assert caught.value.code == "dataset.other_bytes" and "logs.csv" in caught.value.text.render("en")
    assert bytes_of(base, SUPPLIER) == TABLE, "what was kept is still there"
