"""What pages hand to operations by name: each name is one of the operation's input."""

import ast
from importlib import import_module

import pytest

from benchmarks.house.tree import sources
from tests.hub.worlds_for_tests import start_django

PAGES = ("pilotbase.hub.", "pilotbase_estate.hub.")


def said_in(source):
    """Yield (place, operation as written, names) of each call of `do` that spells its input."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "do":
            spelled = node.args[2] if len(node.args) > 2 else None
            if isinstance(spelled, ast.Dict) and not isinstance(node.args[0], ast.Subscript):
                names = [key.value for key in spelled.keys if isinstance(key, ast.Constant)]
                yield source.place(node), ast.unparse(node.args[0]), names


def fields_of(model):
    """Return the names by which a model is given, those of the parts that make it up included."""
    return {field.alias or name for name, field in model.model_fields.items()} | model.model_fields.keys()


@pytest.fixture(scope="module", autouse=True)
def hub(tmp_path_factory):
    start_django(tmp_path_factory.mktemp("hub"))


def test_a_page_gives_an_operation_what_it_takes():
    wrong, seen = [], 0
    for source in sources():
        if not source.module.startswith(PAGES):
            continue
        for place, written, names in said_in(source):
            base, _, attribute = written.partition(".")
            module = import_module(source.module)
            if not hasattr(module, base):  # an operation that the page is given, and its input with it
                continue
            found = getattr(module, base)
            operation = getattr(found, attribute) if attribute else found
            wrong += [(place, name) for name in names if name not in fields_of(operation.takes)]
            seen += len(names)
    assert wrong == []
    assert seen > 10
