"""A folder of thousands of small images is kept as one sealed pack, shown by its table, and comes back to the byte."""

import io
import zipfile
from dataclasses import replace

import pytest

from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.files import Stretch
from pilotbase.documents.permissions import Act
from pilotbase.documents.vocabularies import Opening
from pilotbase.vault.dataset_files import PIECE, find_kept
from pilotbase.worker.datasets.keeping import keep_files, kept_of, preview_of, take_file
from pilotbase.workspace.blobs.store import OWN
from pilotbase.workspace.listings import find_listing
from tests.catalogue.agreements_for_tests import AGREEMENT, DATASET, agreement, dataset, in_file
from tests.catalogue.records_for_tests import DESK, MACHINE, OTHER_SUPPLIER, OWNER, SUPPLIER
from tests.data.sources.sources_for_tests import png
from tests.worker.commissions_for_tests import Ordered

KEPT = "scans-images.zip"
SET = {
    "kind": "files",
    "id": "scans-images",
    "includes": ["../data/scans/**/*.png"],
    "excludes": ["**/draft-*"],
    "encodingFormat": ["image/png"],
}
RECORDS = [{"name": "scans", "field": in_file([{"name": "path", "dataType": "sc:Text"}], "scans-images")}]


def view(base, who):
    return base.lab.store.as_actor(who)


@pytest.fixture
def published(base):
    def published(opening=Opening.ON_TERMS):
        ordered = Ordered(base)
        what = dataset(opening=opening, distribution=[SET], recordSet=RECORDS)
        ordered.do(OWNER, Act.DATASET_REGISTER, what, subject=DATASET)
        ordered.do(OWNER, Act.DATASET_PUBLISH, subject=DATASET)
        ordered.do(OWNER, Act.AGREEMENT_OFFER, agreement(what, ends=None), subject=AGREEMENT)
        ordered.do(SUPPLIER, Act.AGREEMENT_AGREE, subject=AGREEMENT)
        return ordered

    return published


def images(folder, count):
    """Write so many different images in two folders, with what does not belong to the set; return path → bytes."""
    written = {}
    for number in range(count):
        name = f"{'crack' if number % 2 else 'fine'}/{number:04}.png"
        written[name] = png(1 + number % 250, 1 + number // 250)
    for name, content in {**written, "fine/draft-1.png": b"draft", "notes.txt": b"notes"}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return written


def members(taken):
    with zipfile.ZipFile(io.BytesIO(b"".join(taken.pieces))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("count", [200, pytest.param(5000, marks=pytest.mark.prove)])
def test_many_images_are_a_few_blobs_and_come_back_to_the_byte(base, published, tmp_path, count):
    published()
    folder = tmp_path / "scans"
    written = images(folder, count)
    blobs = base.lab.vault.blobs
    before = len(list(blobs.digests(OWN)))
    (told,) = keep_files(base, view(base, OWNER), DATASET, [folder])
    assert (told.name, told.previewed, told.rows) == (KEPT, True, count)
    assert len(list(blobs.digests(OWN))) - before <= told.size // PIECE + 2 < 5
    assert members(take_file(base, view(base, SUPPLIER), DATASET, KEPT)) == written
    found = preview_of(base, view(base, SUPPLIER), DATASET)
    assert found.columns[:2] == ["path", "label"] and found.cells[0][:2] == ["crack/0001.png", "crack"]
    kept = find_kept(base.lab.vault, DATASET, find_listing(view(base, MACHINE), DATASET).digest)
    sealed = b"".join(blobs.get(piece) for one in kept for piece in one.pieces)
    assert b"crack/0001.png" not in sealed and b"\x89PNG\r\n" not in sealed
    with pytest.raises(RefusedError):
        take_file(base, view(base, OTHER_SUPPLIER), DATASET, KEPT)


def test_one_image_is_fetched_as_a_part_of_the_pack(base, published, tmp_path):
    published()
    written = images(tmp_path / "scans", 40)
    keep_files(base, view(base, OWNER), DATASET, [tmp_path / "scans"])
    whole = b"".join(take_file(base, view(base, SUPPLIER), DATASET, KEPT).pieces)
    wanted = written["fine/0012.png"]
    start = whole.index(wanted)
    part = take_file(
        base, view(base, SUPPLIER), DATASET, KEPT, asked_for=lambda size, tag: Stretch(start, start + len(wanted))
    )
    assert b"".join(part.pieces) == wanted


def test_a_pack_of_the_same_files_is_the_same_and_closed_ones_are_shown_to_nobody(base, published, tmp_path):
    published(Opening.COMPUTE_TO_DATA)
    images(tmp_path / "scans", 20)
    at_the_machine = replace(OWNER, person=None)
    packs = []
    for _ in range(2):
        keep_files(base, view(base, OWNER), DATASET, [tmp_path / "scans"])
        packs.append(b"".join(take_file(base, view(base, at_the_machine), DATASET, KEPT).pieces))
    assert packs[0] == packs[1]
    for who in (SUPPLIER, DESK):
        with pytest.raises(RefusedError):
            preview_of(base, view(base, who), DATASET)
    assert kept_of(base, view(base, SUPPLIER), DATASET) == []


def test_a_folder_that_holds_no_set_of_the_description_is_refused_in_words(base, published, tmp_path):
    published()
    images(tmp_path / "scans", 4)
    (tmp_path / "scans" / "away").symlink_to(tmp_path)
    with pytest.raises(InputError) as caught:
        keep_files(base, view(base, OWNER), DATASET, [tmp_path / "scans"])
    assert "away" in caught.value.render("en")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError) as caught:
        keep_files(base, view(base, OWNER), DATASET, [tmp_path / "empty"])
    assert caught.value.render("en") != caught.value.render("zh")
