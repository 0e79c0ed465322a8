"""Canaries in the copies of a file: each copy names whom it was given to, and nobody finds one by chance."""

import csv
import io
import random

import polars as pl
import pytest

from pilotbase.data.terms.templates import OfferLimits, offer_for
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.permissions import Act
from pilotbase.documents.terms import AccessGrant, Action
from pilotbase.documents.vocabularies import Opening
from pilotbase.vault.canaries import FileMarks, open_copy
from pilotbase.vault.dataset_files import find_kept
from pilotbase.worker.datasets.keeping import erase_kept, keep_files, kept_of, take_file
from pilotbase.worker.datasets.marking import draw_marks, look_for_canaries
from pilotbase.worker.trials.log_check import verify_base_log
from pilotbase.workspace.listings import find_listing
from tests.catalogue.agreements_for_tests import AGREEMENT, DATASET, agreement, dataset
from tests.catalogue.records_for_tests import MACHINE, OTHER_OWNER, OTHER_SUPPLIER, OWNER, SUPPLIER
from tests.worker.commissions_for_tests import Ordered

ROWS = 8000
COLUMNS = ("run", "at", "torque", "site", "broke")


def table(rows: int = ROWS, seed: int = 1) -> bytes:
    """Runs as a controller writes them: a number, a time that rises, a measurement, a place in Chinese, a label."""
    chance, written = random.Random(seed), io.StringIO()
    out = csv.writer(written, lineterminator="\r\n")
    out.writerow(COLUMNS)
    for number in range(rows):
        at = f"2026-05-{1 + number // 1440:02} {number // 60 % 24:02}:{number % 60:02}:00"
        site = chance.choice(["甲, 一号", "乙", '丙 "旧"'])
        out.writerow([chance.randrange(10**9), at, f"{chance.gauss(20, 4):.4f}", site, int(chance.random() < 0.1)])
    return written.getvalue().encode()


def rows_of(content: bytes) -> list[tuple[str, ...]]:
    return [tuple(row) for row in csv.reader(io.StringIO(content.decode(), newline=""))]


def without(rows, others):
    gone = set(others)
    return [row for row in rows if row not in gone]


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "logs.csv"
    file.write_bytes(table())
    return file


@pytest.fixture
def marked(base, path):
    """A base where two suppliers have agreed on data whose terms say that copies are marked."""
    ordered = Ordered(base)
    usage = offer_for(Opening.ON_TERMS, "plant", DATASET, OfferLimits(marked=True))
    what = dataset(opening=Opening.ON_TERMS, usageInfo=usage, files={"logs.csv": path.read_bytes()})
    ordered.do(OWNER, Act.DATASET_REGISTER, what, subject=DATASET)
    ordered.do(OWNER, Act.DATASET_PUBLISH, subject=DATASET)
    for number, who in enumerate((SUPPLIER, OTHER_SUPPLIER)):
        name = (AGREEMENT, "agreement:a2")[number]
        terms = agreement(what, ends=None, assignee=who.organisation)
        ordered.do(OWNER, Act.AGREEMENT_OFFER, terms, subject=name)
        ordered.do(who, Act.AGREEMENT_AGREE, subject=name)
    (told,) = keep_files(base, view(base, OWNER), DATASET, [path])
    assert told.marked
    return base


def view(base, who):
    return base.lab.store.as_actor(who)


def copy_of(base, who) -> bytes:
    taken = take_file(base, view(base, who), DATASET, "logs.csv")
    content = b"".join(taken.pieces)
    assert len(content) == taken.size, "the length that is announced"
    return content


def looked(base, tmp_path, content: bytes, name: str = "found.csv"):
    suspected = tmp_path / name
    suspected.write_bytes(content)
    (sighting,) = look_for_canaries(base, view(base, OWNER), DATASET, suspected)
    return sighting


def test_a_copy_is_the_file_and_a_few_rows_that_look_alike_the_same_each_time(marked, path):
    plain, copy = rows_of(path.read_bytes()), rows_of(copy_of(marked, SUPPLIER))
    added = without(copy, plain)
    assert len(added) == 32 and without(copy, added) == plain, "order and every byte stay"
    assert copy_of(marked, SUPPLIER) == copy_of(marked, SUPPLIER) != copy_of(marked, OTHER_SUPPLIER)
    assert not {row[0] for row in added} & {row[0] for row in plain}, "numbers of things are nobody else's"
    assert {row[3] for row in added} <= {row[3] for row in plain} and len({row[3] for row in added}) == 3
    assert [row[1] for row in copy[1:]] == sorted(row[1] for row in copy[1:]), "time goes on as before"
    least = int(min(float(row[2]) for row in plain[1:]))
    assert all(least <= float(row[2]) < 40 for row in added), "the first digit stays"
    assert copy_of(marked, OWNER) == path.read_bytes(), "the owner has its own file"


def test_a_leaked_copy_names_whom_it_was_given_to_and_a_part_of_it_too(marked, tmp_path):
    ours, theirs = copy_of(marked, SUPPLIER), copy_of(marked, OTHER_SUPPLIER)
    found = looked(marked, tmp_path, ours)
    assert (found.found, found.canaries, found.copies[0].organisation, found.copies[0].found) == (32, 64, "acme", 32)
    assert found.chance < 1e-50 and found.copies[0].chance < 1e-15
    assert found.copies[1].organisation == "globex" and found.copies[1].found < 32 and found.copies[1].chance > 1e-4
    assert looked(marked, tmp_path, theirs).copies[0].organisation == "globex"
    part = rows_of(ours)[: ROWS // 2]
    shuffled = pl.DataFrame(part[1:], schema=list(part[0]), orient="row").sample(fraction=1, shuffle=True, seed=3)
    typed = shuffled.select("torque", pl.col("run").cast(pl.Int64), "site", "at").cast({"torque": pl.Float64})
    typed.write_parquet(tmp_path / "rest.parquet")
    rest = looked(marked, tmp_path, (tmp_path / "rest.parquet").read_bytes(), "rest.parquet")
    assert 8 <= rest.found == rest.copies[0].found and rest.copies[0].organisation == "acme"


def test_what_two_compare_and_cut_out_still_names_both(marked, tmp_path):
    ours, theirs = (rows_of(copy_of(marked, who)) for who in (SUPPLIER, OTHER_SUPPLIER))
    both, written = without(ours, without(ours, theirs)), io.StringIO()
    csv.writer(written).writerows(both)
    found = looked(marked, tmp_path, written.getvalue().encode())
    assert found.found == found.copies[0].found == found.copies[1].found >= 8


def test_in_the_file_itself_or_in_another_one_nothing_is_found(marked, path, tmp_path):
    for content in (path.read_bytes(), table(seed=2)):
        found = looked(marked, tmp_path, content)
        assert (found.found, found.chance) == (0, 1.0)


def test_looking_is_for_the_owner_is_logged_and_needs_canaries(marked, path, tmp_path):
    with pytest.raises(RefusedError):
        look_for_canaries(marked, view(marked, OTHER_OWNER), DATASET, path)
    looked(marked, tmp_path, path.read_bytes())
    entry = view(marked, MACHINE).log_entries(limit=10**6)[-1]
    assert (entry.action, entry.subjects[0], entry.facts["ground"]) == ("vault.marks_opened", DATASET, "plant")
    verify_base_log(marked)
    (kept,) = find_kept(marked.lab.vault, DATASET, find_listing(view(marked, MACHINE), DATASET).digest)
    assert b"cells" not in marked.lab.vault.blobs.get(kept.marks), "they lie sealed"
    with pytest.raises(RefusedError):
        open_copy(marked.lab.vault, kept, AccessGrant.of_owner("plant"), "acme")
    erase_kept(marked, view(marked, OWNER), DATASET)
    assert not marked.lab.vault.blobs.exists(kept.marks)
    with pytest.raises(InputError) as caught:
        look_for_canaries(marked, view(marked, OWNER), DATASET, path)
    assert caught.value.code == "canary.none"


def test_without_the_duty_in_the_terms_a_file_goes_out_as_it_is(base, path):
    ordered, what = Ordered(base), dataset(opening=Opening.OPEN, files={"logs.csv": path.read_bytes()})
    ordered.do(OWNER, Act.DATASET_REGISTER, what, subject=DATASET)
    ordered.do(OWNER, Act.DATASET_PUBLISH, subject=DATASET)
    (told,) = keep_files(base, view(base, OWNER), DATASET, [path])
    assert not told.marked and not kept_of(base, view(base, SUPPLIER), DATASET)[0].marked
    assert copy_of(base, SUPPLIER) == path.read_bytes()


@pytest.mark.parametrize(
    "content",
    [
        table(1000),
        b"a,b\n" + b"1,2\n" * ROWS,
        b"a,b\n" + b"".join(f"{n},{n % 7}\n".encode() for n in range(ROWS)) + b"1,2,3\n",
        bytes(range(256)) * 100,
        b"",
    ],
    ids=["small", "plain", "uneven", "no table", "nothing"],
)
def test_what_cannot_hold_canaries_has_none(tmp_path, content):
    (tmp_path / "t.csv").write_bytes(content)
    assert draw_marks(tmp_path / "t.csv") is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_row_is_written_as_its_file_is(tmp_path, encoding):
    (tmp_path / "t.csv").write_bytes(table().decode().replace("\r\n", "\n").encode(encoding))
    marks = draw_marks(tmp_path / "t.csv")
    assert marks is not None and len(marks.canaries) == 64 and marks.columns == COLUMNS
    lines = (tmp_path / "t.csv").read_bytes()
    assert all(lines[one.place - 1 : one.place] == b"\n" and one.line.count("\n") == 1 for one in marks.canaries)
    assert all('"甲, 一号"' in one.line for one in marks.canaries if one.cells[3] == "甲, 一号")


def test_halves_of_many_are_drawn_evenly_and_differ(tmp_path):
    (tmp_path / "t.csv").write_bytes(table())
    marks = draw_marks(tmp_path / "t.csv")
    assert isinstance(marks, FileMarks)
    halves = [set(marks.of(f"organisation-{number}")) for number in range(200)]
    assert {len(half) for half in halves} == {32} and len({tuple(sorted(half)) for half in halves}) == 200
    given = [sum(number in half for half in halves) for number in range(64)]
    assert min(given) > 60 and max(given) < 140, "no canary is everybody's, none nobody's"


def test_the_duty_is_told_in_the_terms():
    usage = offer_for(Opening.ON_TERMS, "plant", DATASET, OfferLimits(marked=True))
    duties = {one.action: {duty.action for duty in one.duty} for one in usage.permission}
    assert Action.WATERMARK in duties[Action.USE] and Action.WATERMARK not in duties[Action.COMPUTE_ON]
