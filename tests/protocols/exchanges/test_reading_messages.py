"""Messages of five forms read as cases of one contract, or refused with a reason; hostile ones soon."""

import json
import time
from datetime import UTC, datetime

import pytest

from pilotbase.documents.contract import Contract, DataType, Field, Prediction
from pilotbase.documents.errors import InputError
from pilotbase.documents.exchanges import Exchange
from pilotbase.protocols.exchanges.reading import FORMS, read_message, split_messages
from pilotbase.protocols.exchanges.trees import without
from pilotbase.protocols.strict_json import WireError

CONTRACT = Contract(
    features=(
        Field(name="pressure", dataType=DataType.FLOAT),
        Field(name="age", dataType=DataType.INTEGER),
        Field(name="sex", dataType=DataType.TEXT),
        Field(name="smoker", dataType=DataType.BOOLEAN),
    ),
    prediction=Prediction(kind="label", classes=("a", "b")),
)
CELLS = {"pressure": 120.5, "age": 63, "sex": "Female", "smoker": True}
MADE = datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)
FEMALE = {"female": "Female", "F": "Female"}


def observation(code, **value):
    return {"resource": {"resourceType": "Observation", "status": "final", "code": coded(code), **value}}


def coded(code, system="http://loinc.org"):
    return {"coding": [{"system": system, "code": code}]}


def quantity(value, unit="mm[Hg]"):
    return {"valueQuantity": {"value": value, "code": unit}}


BUNDLE = {
    "resourceType": "Bundle",
    "id": "m1",
    "timestamp": "2027-01-02T04:04:05+01:00",
    "entry": [
        {"resource": {"resourceType": "Patient", "gender": "female", "name": [{"family": "X"}]}},
        observation("8480-6", **quantity(120.5)),
        observation("30525-0", valueInteger=63),
        observation("72166-2", valueCodeableConcept=coded("smokes", "urn:plant")),
    ],
}
DATA_SET = {
    "00080018": {"vr": "UI", "Value": ["m1"]},
    "0008002A": {"vr": "DT", "Value": ["20270102030405"]},
    "00101010": {"vr": "AS", "Value": ["063Y"]},
    "00100040": {"vr": "CS", "Value": ["F"]},
    "00101030": {"vr": "DS", "Value": ["120.5"]},
    "00110010": {"vr": "LO", "Value": ["1"]},
}
NETWORK_MESSAGE = {
    "MessageId": "m1",
    "MessageType": "ua-data",
    "Messages": [
        {
            "DataSetWriterId": 7,
            "Timestamp": "2027-01-02T03:04:05Z",
            "Payload": {
                "Pressure": {"Value": {"Type": 11, "Body": 120.5}, "StatusCode": 0},
                "Age": {"Type": 6, "Body": 63},
                "Sex": "Female",
                "Smoker": {"Value": True, "StatusCode": {"Code": 0x40000000, "Symbol": "Uncertain"}},
            },
        }
    ],
}
BODY = {"id": "m1", "at": "2027-01-02T03:04:05", "of": [{"a/b": 120.5}], "age": 63.0, "sex": "Female", "smoker": True}
SPELLED = {
    "fhir": json.dumps(BUNDLE).encode(),
    "dicom": json.dumps(DATA_SET).encode(),
    "opcua": json.dumps(NETWORK_MESSAGE).encode(),
    "rest": json.dumps(BODY).encode(),
    "files": b"id,at,p,age,sex,smoker\nm1,2027-01-02T03:04:05Z,120.5,63,Female,true\n",
}
EXCHANGES = {
    "fhir": {
        "pressure": {"at": "http://loinc.org|8480-6", "unit": "mm[Hg]"},
        "age": "30525-0",
        "sex": {"at": "Patient.gender", "words": FEMALE},
        "smoker": {"at": "72166-2", "words": {"smokes": "true"}},
    },
    "dicom": {
        "pressure": "PatientWeight",
        "age": "PatientAge",
        "sex": {"at": "00100040", "words": FEMALE},
        "smoker": "00110010",
    },
    "opcua": {"pressure": "Pressure", "age": "Age", "sex": "Sex", "smoker": "Smoker"},
    "rest": {"pressure": "/of/0/a~1b", "age": "/age", "sex": "/sex", "smoker": "/smoker"},
    "files": {"pressure": "p", "age": "age", "sex": "sex", "smoker": "smoker"},
}
NAMED = {"rest": {"identifier": "/id", "time": "/at"}, "files": {"identifier": "id", "time": "at"}}
FORM_NAMES = sorted(SPELLED)


def exchange(form, **changed):
    settled = {"name": "one", "form": form, "file": "f", "fields": EXCHANGES[form], **NAMED.get(form, {}), **changed}
    return Exchange.model_validate(settled)


def read(form, body, **changed):
    spelled = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_message(exchange(form, **changed), CONTRACT, spelled)


def refused(form, body, **changed):
    with pytest.raises(WireError) as error:
        read(form, body, **changed)
    assert error.value.render("zh") != error.value.render("en")
    return error.value.code


@pytest.mark.parametrize("form", FORM_NAMES)
def test_a_message_is_identifier_time_and_cells(form):
    message = read(form, SPELLED[form])
    assert message.identifier == "m1" and message.time == MADE
    assert message.cells == CELLS and {type(cell) for cell in message.cells.values()} == {float, int, str, bool}


@pytest.mark.parametrize("form", FORM_NAMES)
@pytest.mark.parametrize("name", sorted(CELLS))
def test_what_is_taken_out_is_missing_and_the_rest_stays(form, name):
    way, place = FORMS[exchange(form).form], exchange(form).fields[name]
    message = read(form, way.write(without(way, way.read(SPELLED[form]), place)))
    assert message.cells == {**CELLS, name: None} and message.identifier == "m1" and message.time == MADE


DEEP = b'{"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}"
HOSTILE = [
    b"",
    b"[]",
    b"null",
    DEEP,
    b'{"id":"m1","id":"m2"}',
    b'{"a":NaN}',
    b'{"a":-Infinity}',
    b'{"a":1e999}',
    b'{"a":' + b"9" * 10_000 + b"}",
    b'{"a":"\xff"}',
    b'{"a":"\\ud800"}',
    b'{"a":"' + b"x" * (10 << 20) + b'"}',
    b"{" * 100_000,
    b'{"resourceType":"Bundle","entry":7}',
    b'{"MessageType":"ua-data","Messages":[3]}',
    b"a,a\n1,2\n",
    b'a,b\n"1,2\n',
    b"a\n1\n2\n",
    b"a,b\n1,2,3\n",
]


@pytest.mark.parametrize("form", FORM_NAMES)
@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_hostile_bytes_are_refused_soon(form, number):
    began = time.process_time()
    refused(form, HOSTILE[number])
    assert time.process_time() - began < 1


WRONG = [
    ("fhir", {"entry": []}, "exchange.no_resource"),
    ("fhir", {**BUNDLE, "id": None}, "exchange.no_identifier"),
    ("fhir", {**BUNDLE, "timestamp": "yesterday"}, "exchange.no_time"),
    ("fhir", {**BUNDLE, "entry": [observation("8480-6", **quantity(16, "kPa"))]}, "exchange.unit"),
    ("fhir", {**BUNDLE, "entry": [observation("30525-0", valueInteger=1)] * 2}, "exchange.stands_twice"),
    ("dicom", {**DATA_SET, "00101010": {"vr": "AS", "Value": ["018M"]}}, "exchange.age"),
    ("dicom", {**DATA_SET, "00101030": {"vr": "DS", "Value": ["1", "2"]}}, "exchange.stands_twice"),
    ("dicom", {**DATA_SET, "00101030": {"vr": "OB", "InlineBinary": "AA=="}}, "exchange.not_inline"),
    ("dicom", {**DATA_SET, "00101030": 7}, "exchange.no_attribute"),
    ("dicom", {**DATA_SET, "00101030": {"vr": "DS", "Value": ["heavy"]}}, "exchange.wrong_type"),
    ("opcua", {**NETWORK_MESSAGE, "MessageType": "ua-metadata"}, "exchange.foreign_kind"),
    ("opcua", {"MessageId": "m1"}, "exchange.no_messages"),
    ("opcua", {**NETWORK_MESSAGE, "Messages": NETWORK_MESSAGE["Messages"] * 2}, "exchange.stands_twice"),
    ("rest", {**BODY, "of": [{"a/b": {}}]}, "exchange.wrong_type"),
    ("rest", {**BODY, "id": ["m1"]}, "exchange.wrong_type"),
    ("rest", {**BODY, "id": ""}, "exchange.no_identifier"),
    ("files", b"id,at,p\nm1,2027-01-02\n", "exchange.ragged"),
]  # fmt: skip


@pytest.mark.parametrize(("form", "body", "code"), WRONG)
def test_what_cannot_be_told_is_refused_with_its_reason(form, body, code):
    assert refused(form, body) == code


def with_first(name, status):
    payload = {**NETWORK_MESSAGE["Messages"][0]["Payload"], name: {"Value": 1.0, "StatusCode": status}}
    return {**NETWORK_MESSAGE, "Messages": [{**NETWORK_MESSAGE["Messages"][0], "Payload": payload}]}


def test_a_value_of_bad_status_is_missing_an_uncertain_one_is_there():
    assert read("opcua", with_first("Pressure", 0x80340000)).cells["pressure"] is None
    assert read("opcua", with_first("Pressure", {"Code": 0x80000000})).cells["pressure"] is None
    assert read("opcua", with_first("Pressure", 0x40000000)).cells["pressure"] == 1.0
    one = {**NETWORK_MESSAGE["Messages"][0], "Status": 0x80000000}
    assert set(read("opcua", {**NETWORK_MESSAGE, "Messages": one}).cells.values()) == {None}


def test_observations_that_are_no_result_say_nothing_and_components_do():
    part = {"code": coded("8480-6"), **quantity(118.0)}
    panel = observation("85354-9", component=[part, {"code": coded("8462-4"), **quantity(70.0)}])
    wrong = observation("8480-6", **quantity(90.0))
    wrong["resource"]["status"] = "entered-in-error"
    absent = observation("30525-0", dataAbsentReason=coded("unknown"))
    cells = read("fhir", {**BUNDLE, "entry": [panel, wrong, absent]}).cells
    assert cells["pressure"] == 118.0 and cells["age"] is None and cells["sex"] is None
    way = FORMS[exchange("fhir").form]
    tree = way.read(json.dumps({**BUNDLE, "entry": [panel]}).encode())
    left = without(way, tree, exchange("fhir").fields["pressure"])
    assert [one["code"] for one in left["entry"][0]["resource"]["component"]] == [coded("8462-4")]


def test_a_code_of_another_system_is_another_code():
    other = observation("8480-6", **quantity(99.0))
    other["resource"]["code"] = coded("8480-6", "urn:plant")
    assert read("fhir", {**BUNDLE, "entry": [other]}).cells["pressure"] is None


def test_a_message_of_a_mebibyte_is_too_long():
    assert refused("rest", {**BODY, "note": "x" * (1 << 20)}) == "exchange.too_long"


def test_a_bound_is_no_value():
    bound = observation("8480-6", valueQuantity={"value": 200, "comparator": ">", "code": "mm[Hg]"})
    assert refused("fhir", {**BUNDLE, "entry": [bound]}) == "exchange.inexact"


def test_one_resource_is_a_message_too():
    alone = {**observation("8480-6", **quantity(99.0))["resource"], "id": "o1", "effectiveDateTime": "2027-01-02"}
    message = read("fhir", alone)
    assert message.identifier == "o1" and message.cells["pressure"] == 99.0
    assert message.time == datetime(2027, 1, 2, tzinfo=UTC)
    way = FORMS[exchange("fhir").form]
    left = without(way, way.read(json.dumps(alone).encode()), exchange("fhir").fields["pressure"])
    assert "valueQuantity" not in left and left["id"] == "o1"


@pytest.mark.parametrize("form", FORM_NAMES)
def test_a_file_is_split_into_messages(form):
    header, _, row = SPELLED[form].partition(b"\n")
    content = b"\n".join([header, row.strip(), row.strip()]) if form == "files" else b"\n\n".join([header] * 3)
    found = split_messages(exchange(form, messages=2), content)
    assert len(found) == 2 and read(form, found[1]).cells == CELLS
    with pytest.raises(InputError):
        split_messages(exchange(form), SPELLED[form])


def test_a_cell_of_a_file_may_hold_lines_of_its_own():
    found = split_messages(exchange("files"), b'id,at,p,age,sex,smoker\nm1,,1,2,"a\nb",0\nm2,,1,2,c,1\n')
    assert len(found) == 2 and read("files", found[0], time=None).cells["sex"] == "a\nb"
