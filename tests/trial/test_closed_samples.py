"""The public sample of a scenario on a dataset lies sealed: no byte at rest tells a row, and every reading is told."""

import io
import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pilotbase.documents.base import Step
from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.subjects import scenario_subject
from pilotbase.trial.scenario_folder import load_scenario
from pilotbase.trial.sealed import OpenedScenario, SealedScenario, read_public_sample
from pilotbase.trial.sealing import published_cases, rows_shown, seal_scenario
from pilotbase.vault.readers import readers_of
from pilotbase.worker.base import Base
from pilotbase.worker.trials.hidden_budgets import budget_of
from pilotbase.worker.trials.log_check import verify_base_log
from pilotbase.workspace.checks.blobs import verify_blobs
from tests.catalogue.agreements_for_tests import DATASET

SCENARIO = scenario_subject("plant", "small-alarm")
PLANTED = "zhongguancun-"
"""Begins a text of every row; what the label is stands in the record of what is asked."""


def closed(content: str) -> str:
    return content.replace("  file: cases.csv", f"  file: cases.csv\n  dataset: {DATASET}")


def sealed_in(base: Base, folder: Path) -> OpenedScenario:
    cases = pl.read_csv(folder / "cases.csv")
    planted = cases.with_columns(site=pl.concat_str([pl.lit(PLANTED), pl.col("case_id")]))
    planted.write_csv(folder / "cases.csv")
    return seal_scenario(base.lab, *load_scenario(folder, Step.DRAFT))


def samples_opened(base: Base) -> int:
    return [one.what for one in readers_of(base.lab.view, SCENARIO, {}).items].count("sample")


def telling(home: Path) -> list[str]:
    """Return the files below a home that hold a planted text: as it stands, or in a table, whatever packs that."""
    files = (path for path in home.rglob("*") if path.is_file())
    return [str(path) for path in files if any(PLANTED.encode() in told for told in readings(path.read_bytes()))]


def readings(content: bytes) -> Iterator[bytes]:
    yield content
    for read in (pl.read_parquet, pl.read_ipc):
        try:
            yield read(io.BytesIO(content)).write_csv().encode()
        except (pl.exceptions.PolarsError, OSError):
            continue
    for form in (zlib.MAX_WBITS, zlib.MAX_WBITS | 16):
        try:
            yield zlib.decompress(content, form)
        except zlib.error:
            continue


def test_no_file_of_the_home_tells_a_row_of_a_dataset(
    base: Base, home: Path, write_scenario: Callable[..., Path]
) -> None:
    record = sealed_in(base, write_scenario(change=closed)).record
    assert record.public_cases > 200
    assert telling(home) == []
    plain = sealed_in(base, write_scenario(name="plain")).record
    (found,) = telling(home)
    assert found.replace("/", "").endswith(plain.public_sample.partition(":")[2]), "the search is not blind"
    assert base.lab.vault.blobs.get(record.public_sample)[:4] != b"PAR1"


def test_it_is_the_same_sample_and_its_readings_are_told(base: Base, write_scenario: Callable[..., Path]) -> None:
    sealed = sealed_in(base, write_scenario(change=closed))
    plain = sealed_in(base, write_scenario(name="plain"))
    rows = read_public_sample(base.lab, sealed)
    assert rows.height == sealed.record.public_cases
    assert rows.equals(read_public_sample(base.lab, plain)) and rows.equals(rows_shown(base.lab, sealed.record))
    found = readers_of(base.lab.view, SCENARIO, {}).items[0]
    assert (found.kind, found.what, found.step, found.organisation) == ("opened", "sample", "sample", "plant")
    verify_base_log(base)
    assert verify_blobs(base.lab.store, base.lab.vault.blobs).damages == ()


def test_what_a_sealed_sample_has_shown_proves_nothing_any_more(
    base: Base, write_scenario: Callable[..., Path]
) -> None:
    sealed = sealed_in(base, write_scenario(change=closed))
    rows = read_public_sample(base.lab, sealed)
    assert published_cases(base.lab, "plant", rows).tolist() == np.arange(rows.height).tolist()


def test_a_budget_that_is_looked_at_again_opens_the_sample_once(
    base: Base, write_scenario: Callable[..., Path]
) -> None:
    sealed = sealed_in(base, write_scenario(change=closed))
    before, first = samples_opened(base), budget_of(base.lab, sealed)
    assert [budget_of(base.lab, sealed) for _ in range(5)] == [first] * 5
    assert samples_opened(base) == before + 1


def test_the_sample_of_another_hidden_set_does_not_open_in_its_place(
    base: Base, write_scenario: Callable[..., Path]
) -> None:
    one = sealed_in(base, write_scenario(change=closed))
    other = sealed_in(base, write_scenario(rows=600, change=closed, name="other"))
    swapped = one.record.model_copy(update={"public_sample": other.record.public_sample})
    with pytest.raises(InvalidProofError) as told:
        read_public_sample(base.lab, OpenedScenario(one.scenario, swapped))
    assert told.value.code == "vault.envelope_closed"


def test_a_record_of_before_is_read_as_it_was_and_keeps_its_name(
    base: Base, write_scenario: Callable[..., Path]
) -> None:
    plain = sealed_in(base, write_scenario()).record
    spelled = json.loads(plain.canonical())
    assert "sample_sealed" not in spelled
    before = SealedScenario.from_json_value(spelled)
    assert before.digest() == plain.digest()
    assert rows_shown(base.lab, before).height == plain.public_cases
