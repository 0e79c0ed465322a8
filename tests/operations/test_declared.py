"""What every declared operation must have, and what binds it: the suite names the operation that has it not."""

from typing import get_args

import pydantic
import pytest

from pilotbase import operations
from pilotbase.documents.api.shapes import RequestModel
from pilotbase.documents.catalogues import catalogue
from pilotbase.documents.texts import LANGUAGES
from pilotbase.hub.api.examples import EXAMPLES
from pilotbase.operations import by_address, declared
from pilotbase.operations.operation import BODY, NOTHING, PATH, NoInput, Operation, Repeated
from pilotbase.worker.operations.binding import BOUND, does, function_of

OPERATIONS = list(declared().values())


def lacks(one):
    """What an operation lacks."""
    for language in LANGUAGES:
        for part in ("",) if one.words else ("", "more"):
            if not one.said(language, part):
                yield f"no text {part or 'of its own'} in {language}"
    if one.writes and one.who is None and not one.only and one.repeated is not Repeated.HARMLESS:
        yield "it writes, and no row of the permissions says who may"
    if one.writes and one.sent not in (None, bytes) and one.example is None and one.sent.__name__ not in EXAMPLES:
        yield "no example"
    if one.later and not one.location:
        yield "it begins something, and does not say where"


@pytest.mark.parametrize("one", OPERATIONS, ids=lambda one: one.name)
def test_every_operation_has_texts_a_permission_and_an_example(one):
    assert list(lacks(one)) == []


def test_an_operation_without_any_of_it_is_refused_by_name():
    class Something(RequestModel):
        what: str

    bare = Operation("nothing.make", "POST /nothing", Something, NOTHING, later=True)
    said = list(lacks(bare))
    assert len(said) == 7 and "no example" in said and sum("text" in one for one in said) == 4


@pytest.mark.parametrize("one", [one for one in OPERATIONS if one.example is not None], ids=lambda one: one.name)
def test_every_example_fits(one):
    one.sent.model_validate_json(pydantic.TypeAdapter(dict).dump_json(one.example))


def places(model, above=()):
    """Return the names of the fields of a model and of its parts, bare and with their places."""
    for name, info in model.model_fields.items():
        yield name
        for part in set(parts_in(info.annotation)) - {*above, model}:
            inner = list(places(part, (*above, model)))
            yield from (*inner, *(f"{name}.{one}" for one in inner))


def parts_in(annotation):
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from parts_in(inner)


def test_no_text_is_left_of_an_operation_or_of_a_field():
    words = [one.words for one in OPERATIONS if one.words]
    names = {f"op.{one.name}" for one in OPERATIONS} | {
        text.code for one in words for text in (one, *one.params.values())
    }
    names |= {f"op.of.{one.heading}" for one in OPERATIONS}
    assert [code for code in catalogue("op", "en") if code not in names and code.rpartition(".")[0] not in names] == []
    fields = {"one_a_line", "a_name_and_value_a_line"}
    for one in OPERATIONS:
        models = [one.takes, *([one.sent] if one.whole and not one.takes_bytes else [])]
        known = {place for model in models for place in places(model)}
        fields |= known | {f"{one.name}.{name}" for name in known}
    left = [code for code in catalogue("ask", "en") if code.removeprefix("ask.").removesuffix(".help") not in fields]
    assert left == []


def test_no_two_operations_have_one_address():
    assert len(by_address()) == len(OPERATIONS)


def test_an_address_and_its_fields_name_each_other():
    class OfThing(RequestModel):
        thing: str

    with pytest.raises(TypeError, match=r"things\.show: thing must be marked PATH"):
        Operation("things.show", "GET /things/{thing}", OfThing, NOTHING)


def test_two_of_one_name_and_one_of_another_noun_are_refused_by_name(monkeypatch):
    twice = Operation("services.list", "GET /other", NoInput, NOTHING)
    for one in (twice, Operation("watches.list", "GET /watches", NoInput, NOTHING)):
        monkeypatch.setattr(operations.services, "AGAIN", one, raising=False)
        declared.cache_clear()
        with pytest.raises(TypeError, match=one.name):
            declared()
    monkeypatch.undo()
    declared.cache_clear()


def test_every_operation_is_bound_and_nothing_else_is():
    for one in OPERATIONS:
        function_of(one)
    assert set(BOUND) == set(declared())


def test_an_operation_is_bound_once():
    with pytest.raises(TypeError, match=r"services\.list is bound twice"):
        does(declared()["services.list"])(lambda caller, asked: [])


def test_what_nothing_binds_is_named():
    with pytest.raises(LookupError, match=r"things\.show"):
        function_of(Operation("things.show", "GET /things", NoInput, NOTHING))


def test_what_is_sent_is_what_is_asked_without_the_address():
    class Renamed(RequestModel):
        """What a thing is called."""

        thing: pydantic.types.Annotated[str, PATH]
        name: str = "x"

    one = Operation("things.rename", "PUT /things/{thing}", Renamed, NOTHING)
    assert (one.sent.__name__, one.sent.__doc__) == ("Renamed", "What a thing is called.")
    assert list(one.sent.model_fields) == ["name"] and one.others == ("name",)
    assert one.address(Renamed(thing="a/b")) == "/things/a%2Fb"
    with pytest.raises(pydantic.ValidationError):
        one.sent.model_validate({"name": "y", "thing": "z"})


def test_a_whole_document_is_the_body():
    whole = declared()["incidents.set_runbook"]
    assert whole.whole == "sent" and whole.others == () and BODY in whole.takes.model_fields["sent"].metadata
