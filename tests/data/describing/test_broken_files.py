"""Whatever a file of any kind was damaged to, it is described or refused in words; nothing else comes of it."""

import gzip
import random

import polars as pl
import pytest

from pilotbase.data.describing.describing import describing
from pilotbase.data.describing.questions import write_dataset_yaml
from pilotbase.data.sources.source import ReadOptions
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.described import Answers
from pilotbase.documents.errors import InputError
from pilotbase.documents.loading import load_document
from tests.data.sources.sources_for_tests import database, lines
from tests.data.workbooks_for_tests import write_workbook

ROWS = 40
CSV = "id,日期,value,name\n" + "".join(f'{at},2026-01-{1 + at % 28:02},{at / 3:.2f},"n, {at}"\n' for at in range(ROWS))
PIECES = [b'"', b",", b"\n", b"\0", b"\r", b"\xff", b"{", b"}", "，".encode(), b"1e999", b"NaN", b"9" * 30]
DAMAGED = 150
KINDS = {
    "t.csv": lambda path: path.write_text(CSV),
    "t.csv.gz": lambda path: path.write_bytes(gzip.compress(CSV.encode())),
    "t.parquet": lambda path: pl.DataFrame(
        {"id": range(ROWS), "s": [f"n{at}" for at in range(ROWS)], "t": [{"a": 1.5}] * ROWS}
    ).write_parquet(path),
    "t.xlsx": lambda path: write_workbook(path, [["id", "v"], *([at, f"x{at}"] for at in range(ROWS))]),
    "t.db": lambda path: database(
        path, "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)", "INSERT INTO t VALUES (1, 'x')"
    ),
    "t.jsonl": lambda path: path.write_text(lines(*({"id": at, "a": {"b": at / 2}, "l": [1]} for at in range(ROWS)))),
}


def damaged(content: bytes, chance: random.Random) -> bytes:
    found = bytearray(content)
    for _ in range(chance.choice([1, 1, 2, 5, 20])):
        at, what = chance.randrange(len(found) or 1), chance.randrange(4)
        if what == 0 and found:
            found[at] = chance.randrange(256)
        elif what == 1:
            found[at:at] = chance.choice(PIECES)
        elif what == 2:
            del found[at : at + chance.randrange(1, 20)]
        elif chance.random() < 0.2:
            del found[at:]
    return bytes(found)


@pytest.mark.prove
@pytest.mark.parametrize("name", KINDS)
def test_a_damaged_file_is_described_or_refused(tmp_path, name):
    KINDS[name](tmp_path / name)
    whole, chance, refused = (tmp_path / name).read_bytes(), random.Random(7), 0
    for _ in range(DAMAGED):
        (tmp_path / name).write_bytes(damaged(whole, chance))
        out = tmp_path / "dataset.yaml"
        try:
            with describing([str(tmp_path / name)], out, ReadOptions()) as places:
                found = places.describe(Answers())
        except InputError as error:
            assert error.render("zh") and error.issues
            refused += 1
            continue
        out.write_text(write_dataset_yaml(found))
        assert load_document(Dataset, out) == found.dataset
        out.unlink()
    assert 0 < refused < DAMAGED
