"""Every model of what the API is asked keeps to one rule: yes is no number."""

import importlib
import pkgutil

import pydantic
import pytest

from pilotbase.documents import api
from pilotbase.documents.api.shapes import Asked

for found in pkgutil.iter_modules(api.__path__, f"{api.__name__}."):
    importlib.import_module(found.name)
NUMBERS = [
    (model, field.alias or name)
    for model in Asked.__subclasses__()
    for name, field in model.model_fields.items()
    if field.annotation in (int, float, int | None, float | None)
]


@pytest.mark.parametrize(("model", "name"), NUMBERS)
def test_a_yes_is_no_number(model, name):
    with pytest.raises(pydantic.ValidationError) as told:
        model.model_validate({name: True})
    assert ("int_type", (name,)) in [(error["type"], error["loc"]) for error in told.value.errors()]


def test_there_are_numbers_to_try():
    assert len(NUMBERS) >= 4
