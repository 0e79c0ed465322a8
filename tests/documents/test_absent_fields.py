"""What is absent is left out of a document's JSON, so every field that may be absent must read back as absent."""

from typing import get_args

import pydantic
import pytest

from pilotbase.documents.schema import KINDS


def models_in(annotation, found):
    """Collect every model that an annotation names, those of its fields included."""
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel) and annotation not in found:
        found.add(annotation)
        annotation.model_rebuild()  # a field may name a model that stands further below
        for field in annotation.model_fields.values():
            models_in(field.annotation, found)
    for argument in get_args(annotation):
        models_in(argument, found)
    return found


def admits_none(field):
    try:
        pydantic.TypeAdapter(field.annotation).validate_python(None)
    except pydantic.ValidationError:
        return False
    return True


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_field_that_may_be_absent_is_absent_by_default(kind):
    for model in models_in(KINDS[kind], set()):
        for name, field in model.model_fields.items():
            if admits_none(field):
                assert not field.is_required(), f"{model.__name__}.{name}"
                assert field.get_default(call_default_factory=True) is None, f"{model.__name__}.{name}"
