"""Kept files are erased by their owner: no byte of them is left, what was here is proven, and parts are taken alike."""

import pytest

from pilotbase.documents.errors import RefusedError
from pilotbase.documents.files import Stretch
from pilotbase.documents.permissions import Act
from pilotbase.documents.vocabularies import Opening
from pilotbase.vault.dataset_files import PIECE, find_all_kept
from pilotbase.worker.datasets.keeping import erase_kept, keep_files, kept_of, own_files, take_file
from pilotbase.workspace.checks.blobs import verify_blobs
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.uses import uses_of
from tests.catalogue.agreements_for_tests import DATASET, dataset
from tests.catalogue.records_for_tests import DESK, MACHINE, OWNER, SUPPLIER
from tests.worker.commissions_for_tests import Ordered

NOTES = bytes(range(256)) * (2 * PIECE // 256 + 10)
"""Three pieces."""
FILES = {"logs.csv": b"torque\n1.5\n", "notes.bin": NOTES}


@pytest.fixture
def kept(base, tmp_path):
    ordered, what = Ordered(base), dataset(opening=Opening.OPEN, files=FILES)
    ordered.do(OWNER, Act.DATASET_REGISTER, what, subject=DATASET)
    ordered.do(OWNER, Act.DATASET_PUBLISH, subject=DATASET)
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    keep_files(base, view(base), DATASET, [tmp_path / name for name in FILES])
    return ordered


def view(base, who=OWNER):
    return base.lab.store.as_actor(who)


def part(base, start, end, who=SUPPLIER):
    taken = take_file(base, view(base, who), DATASET, "notes.bin", asked_for=lambda size, tag: Stretch(start, end))
    return b"".join(taken.pieces)


@pytest.mark.one_in(5)
@pytest.mark.parametrize("start,end", [(0, 1), (5, PIECE), (PIECE - 1, PIECE + 1), (PIECE, 2 * PIECE), (7, len(NOTES))])
def test_parts_are_the_bytes_that_were_asked_for(base, kept, start, end):
    assert part(base, start, end) == NOTES[start:end]
    assert part(base, start, end) == NOTES[start:end]
    assert len(uses_of(view(base, MACHINE), DATASET)) == 1


def test_pieces_beside_the_part_are_not_opened(base, kept):
    notes = next(one for one in find_all_kept(base.lab.vault, DATASET) if one.name == "notes.bin")
    base.lab.vault.blobs.remove(notes.pieces[0])
    base.lab.vault.blobs.remove(notes.pieces[2])
    assert part(base, PIECE, PIECE + 9) == NOTES[PIECE : PIECE + 9]


def test_nothing_is_left_of_what_was_erased_but_that_it_was_here(base, kept):
    blobs, uses = base.lab.vault.blobs, uses_of(view(base, MACHINE), DATASET)
    papers = find_all_kept(base.lab.vault, DATASET)
    names = [blob for one in papers for blob in (*one.pieces, one.preview) if blob is not None]
    with pytest.raises(RefusedError):
        erase_kept(base, view(base, SUPPLIER), DATASET)
    taking = iter(take_file(base, view(base, SUPPLIER), DATASET, "notes.bin").pieces)
    assert next(taking) == NOTES[:PIECE]
    assert erase_kept(base, view(base), DATASET) == 2
    with pytest.raises(NotFoundError):
        next(taking)
    assert not any(blobs.exists(blob) for blob in names) and len(names) == 5
    assert kept_of(base, view(base), DATASET) == [] and erase_kept(base, view(base, DESK), DATASET) == 0
    assert verify_blobs(base.lab.store, blobs).damages == ()
    erased = [one for one in view(base, MACHINE).log_entries(limit=10**6) if one.action == "dataset.file_erased"]
    assert {paper.digest() for paper in papers} <= {subject for one in erased for subject in one.subjects}
    assert [one.version for one in uses_of(view(base, MACHINE), DATASET)][1:] == [one.version for one in uses]


def test_an_erasing_that_was_cut_off_is_finished_by_the_next(base, kept, monkeypatch):
    blobs = base.lab.vault.blobs
    papers = find_all_kept(base.lab.vault, DATASET)

    def killed(self, digest):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(type(blobs), "remove", killed)
        with pytest.raises(KeyboardInterrupt):
            erase_kept(base, view(base), DATASET, "notes.bin")
    assert [one.name for one in kept_of(base, view(base), DATASET)] == ["logs.csv"], "gone for everybody all the same"
    erase_kept(base, view(base), DATASET)
    assert not any(blobs.exists(piece) for one in papers for piece in one.pieces)


def test_a_file_kept_again_after_it_was_erased_is_there(base, kept, tmp_path):
    erase_kept(base, view(base), DATASET, "logs.csv")
    keep_files(base, view(base), DATASET, [tmp_path / "logs.csv"])
    assert [one.name for one in kept_of(base, view(base), DATASET)] == ["logs.csv", "notes.bin"]


def test_a_description_that_says_more_of_the_same_bytes_does_not_ask_for_them_again(base, kept):
    for version, bytes_of, names in (("1.0.1", "", ["logs.csv", "notes.bin"]), ("2.0.0", "other", ["notes.bin"])):
        what = dataset(version, opening=Opening.OPEN, files=FILES, keywords=[version])
        files = [one.model_copy(update={"sha256": "1" * 64}) for one in what.distribution if one.id == "logs.csv"]
        files = [*(files if bytes_of else what.distribution[:1]), what.distribution[1]]
        kept.do(OWNER, Act.DATASET_REVISE, what.model_copy(update={"distribution": tuple(files)}), subject=DATASET)
        assert [one.name for one in kept_of(base, view(base), DATASET)] == names, version
    assert {one.name: one.newest for one in own_files(base, view(base), DATASET)} == {
        "logs.csv": False,
        "notes.bin": True,
    }
