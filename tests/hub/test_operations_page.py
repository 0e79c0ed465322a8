"""The reference names every operation of the API as the hub's own schema has it, and who may."""

import re
import sys
from pathlib import Path

import pytest

from pilotbase.documents.permissions import ExchangeAct, IncidentAct, ReadScope, ServiceAct, WatchAct

sys.path.insert(0, str(Path(__file__).parents[2] / "docs"))

import generate

from pilotbase.operations import declared


@pytest.fixture(scope="module")
def schema(one_world):
    return one_world.client().get("/api/openapi.json").json()


def test_every_operation_has_its_entry(schema):
    named = set(re.findall(r"^### `([A-Z]+ /\S+)`$", generate.operations_page(schema), re.M))
    assert named == {f"{method.upper()} {path}" for path, one in schema["paths"].items() for method in one}


def test_every_row_of_the_permission_tables_is_told(schema):
    """Each has an operation; and every address of the API is one that is declared."""
    assert {one["operationId"] for path in schema["paths"].values() for one in path.values()} == set(declared())
    named = {one.who for one in declared().values()}
    told = {*ExchangeAct, *IncidentAct, *ServiceAct, *WatchAct, *ReadScope} - named
    assert told <= {ReadScope.OVERVIEW}, "a page's"
