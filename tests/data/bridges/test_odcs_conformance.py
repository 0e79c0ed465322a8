"""Contracts of others (ODCS 3.0 and 3.1): schema, rules and terms are kept, and written again without a loss."""

import json
from pathlib import Path

import pytest
import yaml

from pilotbase.data.bridges import bridges
from pilotbase.data.bridges.reading import load_description

FOLDER = Path(__file__).parents[4] / "shared" / "conformance" / "odcs"
FILES = sorted(FOLDER.glob("*.yaml"))
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the conformance files are not at {FOLDER}")
TERMS = ("price", "roles", "slaProperties", "support")
TYPES = {
    "string": "sc:Text",
    "date": "sc:Date",
    "timestamp": "sc:DateTime",
    "time": "sc:Time",
    "number": "sc:Float",
    "integer": "sc:Integer",
    "boolean": "sc:Boolean",
}


def contract(path):
    return yaml.safe_load(path.read_text("utf-8"))


def properties(above):
    """Every property of an object as the YAML has it, those of objects and items inside it too."""
    for one in above.get("properties") or []:
        yield one
        yield from properties(one)
        yield from properties(one.get("items") or {})


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_schema_rules_and_terms_are_those_of_the_contract(path):
    said, found = contract(path), load_description(path).description
    assert found.faults == () and found.version == said["apiVersion"].lstrip("v")
    dataset = found.require()
    assert dataset.version == said["version"]
    assert [one.name for one in dataset.record_sets] == [one["name"] for one in said["schema"]]
    for record_set, above in zip(dataset.record_sets, said["schema"], strict=True):
        expected = list(properties(above))
        assert [field.name.rpartition("/")[2] for field in record_set.fields] == [one["name"] for one in expected]
        for field, one in zip(record_set.fields, expected, strict=True):
            if one.get("logicalType") in TYPES:
                assert field.data_type == TYPES[one["logicalType"]]
            assert field.repeated == (one.get("logicalType") == "array")
        keyed = sorted(
            (one["primaryKeyPosition"], one["name"]) for one in expected if one.get("primaryKeyPosition", 0) > 0
        )
        if keyed:
            assert list(record_set.key) == [name for _, name in keyed]
        rules = [rule for one in (above, *expected) for rule in one.get("quality", [])]
        kept = [json.loads(rule.rule) for rule in record_set.kept_rules]
        assert sorted(map(str, kept)) == sorted(map(str, rules))
    assert {one.name: json.loads(one.term) for one in dataset.kept_terms} == {
        name: said[name] for name in TERMS if said.get(name)
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_written_again_it_has_lost_nothing_but_what_was_told(path, tmp_path):
    found = load_description(path).description
    written = bridges()["odcs"].write(found.require())
    assert set(written.left_out) <= {"distribution.encodingFormat"}
    again = tmp_path / "again.yaml"
    again.write_text(written.content, "utf-8")
    reread = load_description(again).description
    assert reread.faults == ()
    assert reread.require() == found.require().model_copy(update={"owner": reread.require().owner})
    told = {issue.path for issue in found.not_held}
    for place in leaves(contract(path)):
        if not any(place == one or place.startswith(f"{one}/") for one in told):
            assert last(place) in HELD, place


def leaves(value, place=""):
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in ("quality", *TERMS):
                yield from leaves(inner, f"{place}/{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, f"{place}/{index}")
    elif value is not None:
        yield place


def last(place):
    return next(step for step in reversed(place.split("/")) if not step.isdecimal())


HELD = {
    *("apiVersion", "kind", "name", "version", "dataProduct", "tenant", "purpose", "limitations", "usage", "tags"),
    *("contractCreatedTs", "physicalName", "businessName", "description", "logicalType", "required", "unique"),
    *("primaryKey", "primaryKeyPosition", "minimum", "maximum", "pattern", "to", "type"),
}
"""What we hold of a contract; whatever else stands in one has to be told."""


def test_a_rule_that_the_field_itself_can_say_is_said_there_too(tmp_path):
    path = tmp_path / "contract.yaml"
    rules = [
        {"metric": "nullValues", "mustBe": 0},
        {"metric": "duplicateValues", "mustBe": 0},
        {"metric": "invalidValues", "mustBe": 0, "arguments": {"validValues": ["a", "b"]}},
        {"metric": "nullValues", "mustBeLessThan": 5, "unit": "percent"},
        {"metric": "duplicateValues", "mustBe": 3},
    ]
    value = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "name": "t",
        "version": "1.0.0",
        "schema": [
            {
                "name": "t",
                "properties": [
                    {"name": "x", "logicalType": "string", "quality": rules[:3]},
                    {"name": "y", "logicalType": "string", "quality": rules[3:]},
                ],
            }
        ],
    }
    path.write_text(yaml.safe_dump(value), "utf-8")
    x, y = load_description(path).description.require().record_sets[0].fields
    assert (x.required, x.unique, x.values) == (True, True, ("a", "b"))
    assert (y.required, y.unique, y.values) == (False, False, ())


def test_a_contract_of_another_version_is_refused(tmp_path):
    path = tmp_path / "contract.yaml"
    path.write_text("apiVersion: v2.2.2\nkind: DataContract\nschema: []\n", "utf-8")
    (fault,) = load_description(path).description.faults
    assert (fault.path, fault.line, fault.problem.code) == ("/apiVersion", 1, "bridge.other_version")
