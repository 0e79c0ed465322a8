"""A table that is a file of a closed dataset is not handed in as anybody's: its scenario names the dataset."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from pilotbase.catalogue.advancing import Move, advance
from pilotbase.documents.errors import InputError
from pilotbase.documents.permissions import Act
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.vocabularies import Opening, Role
from pilotbase.worker.base import Base
from pilotbase.worker.datasets.committing import commit_files
from pilotbase.worker.intake.checking import check_scenario
from pilotbase.worker.intake.drafting import starter_kit
from pilotbase.worker.intake.kept_files import take_scenario
from pilotbase.workspace.actors import actor
from tests.catalogue.agreements_for_tests import DATASET, dataset
from tests.trial.conftest import base, home, write_scenario

__all__ = ["base", "home", "write_scenario"]


def owner_of(base: Base):
    return base.lab.store.as_actor(actor("plant", Role.DEMAND_OWNER, person="p-owner"))


def describe(base: Base, opening: Opening, files: Mapping[str, bytes]) -> None:
    """Register the plant's dataset; a closed one with the commitments that a hub makes."""
    described = dataset(opening=Opening.ON_TERMS, files=files).model_copy(update={"opening": opening})
    advance(owner_of(base), DATASET, Act.DATASET_REGISTER, Move(commit_files(base.lab.vault, described)))


def naming(folder: Path) -> Path:
    path = folder / "scenario.yaml"
    path.write_text(path.read_text().replace("  file: cases.csv", f"  file: cases.csv\n  dataset: {DATASET}"))
    return folder


@pytest.mark.parametrize("opening", [Opening.COMPUTE_TO_DATA, Opening.ON_TERMS])
def test_a_table_of_a_closed_dataset_is_handed_in_only_where_the_scenario_names_it(
    base: Base, write_scenario: Callable[..., Path], opening: Opening
) -> None:
    folder = write_scenario()
    describe(base, opening, {"logs.csv": (folder / "cases.csv").read_bytes()})
    for act in (lambda: take_scenario(base, owner_of(base), folder), lambda: check_scenario(folder, base=base)):
        with pytest.raises(InputError) as caught:
            act()
        assert f"cases.csv belongs to {DATASET}, which is not open" in caught.value.render("en")
        assert f"dataset: {DATASET}" in caught.value.render("en"), "what to write"
        assert f"未开放数据集 {DATASET}" in caught.value.render("zh")
    record = take_scenario(base, owner_of(base), naming(folder))
    assert base.lab.view.load(record.documents["scenario"], Scenario).data.dataset == DATASET


def test_open_data_and_other_tables_need_no_naming(base: Base, write_scenario: Callable[..., Path]) -> None:
    folder = write_scenario()
    describe(base, Opening.OPEN, {"logs.csv": (folder / "cases.csv").read_bytes()})
    assert take_scenario(base, owner_of(base), folder).state == "draft"


def test_no_starter_kit_of_a_table_that_became_a_closed_dataset_after_it_was_handed_in(
    base: Base, write_scenario: Callable[..., Path]
) -> None:
    folder = write_scenario()
    record = take_scenario(base, owner_of(base), folder)
    scenario = base.lab.view.load(record.documents["scenario"], Scenario)
    describe(base, Opening.COMPUTE_TO_DATA, {"logs.csv": (folder / "cases.csv").read_bytes()})
    with pytest.raises(InputError, match="which is not open"):
        starter_kit(base, scenario, "acme")
