"""Descriptions as others write them, not as we do: packages, catalogues, records; what is kept and what is told."""

import json

import pytest

from pilotbase.data.bridges.dcat import write_dcat
from pilotbase.data.bridges.reading import load_description
from pilotbase.data.croissant.findings import Measured, Measurement
from pilotbase.documents.errors import InputError
from tests.data.croissant.datasets_for_tests import complete


def described(tmp_path, value, name="description.json"):
    path = tmp_path / name
    path.write_text(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1), "utf-8")
    return load_description(path)


def places(issues):
    return {issue.path for issue in issues}


PACKAGE = {
    "profile": "tabular-data-package",
    "name": "cities",
    "title": "Cities",
    "version": "2.1.0",
    "homepage": "https://example.org/cities",
    "licenses": [{"name": "ODC-PDDL-1.0", "path": "https://example.org/licence"}, {"name": "MIT"}],
    "contributors": [{"title": "Jo Doe", "role": "author", "email": "jo@example.org"}],
    "sources": [{"title": "Register", "path": "https://example.org/register"}],
    "resources": [
        {
            "name": "cities",
            "path": "data/cities.csv",
            "bytes": 120,
            "hash": "sha256:" + "B" * 64,
            "dialect": {"delimiter": ";"},
            "schema": {
                "fields": [
                    {"name": "id", "type": "integer", "constraints": {"required": True, "unique": True}},
                    {"name": "capital", "type": "integer"},
                    {"name": "kind", "type": "string", "constraints": {"enum": ["town", "city"], "minLength": 2}},
                    {"name": "size", "type": "number", "constraints": {"minimum": 0, "maximum": 1e9}},
                    {"name": "seen", "type": "date", "format": "%d/%m/%Y", "constraints": {"minimum": "01/01/1900"}},
                    {"name": "page", "type": "string", "format": "uri"},
                    {"name": "place", "type": "geopoint"},
                ],
                "missingValues": ["", "-"],
                "primaryKey": "id",
                "foreignKeys": [{"fields": "capital", "reference": {"resource": "", "fields": "id"}}],
            },
        },
        {"name": "maps", "path": ["maps/a.png", "maps/b.png"], "mediatype": "image/png"},
        {"name": "kinds", "data": [{"kind": "town"}], "schema": {"fields": [{"name": "kind", "type": "string"}]}},
    ],
}


def test_a_frictionless_package_is_kept_but_for_what_is_told(tmp_path):
    loaded = described(tmp_path, PACKAGE)
    found, dataset = loaded.description, loaded.description.require()
    assert (loaded.bridge.name, found.version, found.faults) == ("frictionless", "1.0", ())
    assert (dataset.version, dataset.license, dataset.creator) == ("2.1.0", "ODC-PDDL-1.0", ("Jo Doe",))
    file, maps = dataset.distribution
    assert (file.id, file.sha256, file.content_size) == ("data/cities.csv", "b" * 64, 120)
    assert maps.includes == ("maps/a.png", "maps/b.png")
    cities, kinds = dataset.record_sets
    fields = {field.name: field for field in cities.fields}
    assert [field.data_type for field in cities.fields] == [
        *("sc:Integer", "sc:Integer", "sc:Text", "sc:Float", "sc:Date", "sc:URL", "sc:Text")
    ]
    assert (fields["id"].required, fields["id"].unique, cities.key) == (True, True, ("id",))
    assert (fields["capital"].references.record_set, fields["capital"].references.field) == ("cities", "id")
    assert (fields["kind"].values, fields["size"].maximum) == (("town", "city"), 1e9)
    assert fields["seen"].missing == ("", "-") and fields["seen"].minimum is None
    assert json.loads(kinds.inline) == [{"kind": "town"}] and kinds.fields[0].source is None
    schema = "/resources/0/schema/fields"
    assert places(found.not_held) == {
        *("/licenses/1", "/contributors/0/email", "/contributors/0/role", "/resources/0/dialect", "/sources/0/title"),
        *(f"{schema}/2/constraints/minLength", f"{schema}/4/constraints/minimum", f"{schema}/4/format"),
        *(f"{schema}/6/type", "/licenses/0/path"),
    }


def test_a_package_without_a_place_or_with_a_wrong_reference_is_refused_there(tmp_path):
    package = json.loads(json.dumps(PACKAGE))
    del package["resources"][0]["path"]
    assert places(described(tmp_path, package).description.faults) == {"/resources/0/path"}
    package = json.loads(json.dumps(PACKAGE))
    package["resources"][0]["schema"]["foreignKeys"][0]["reference"]["fields"] = "idd"
    (fault,) = described(tmp_path, package).description.faults
    assert fault.path.startswith("/resources/0/schema/fields/1")


CATALOGUED = {
    "@context": {
        "dcat": "http://www.w3.org/ns/dcat#",
        "dct": "http://purl.org/dc/terms/",
        "foaf": "http://xmlns.com/foaf/0.1/",
        "schema": "http://schema.org/",
    },
    "@type": "dcat:Dataset",
    "@id": "https://example.org/dataset/air",
    "dct:title": [{"@value": "Air", "@language": "en"}, {"@value": "空气", "@language": "zh"}],
    "dct:description": "Hourly.",
    "dct:issued": {"@value": "2026-01-02T03:04:05Z", "@type": "http://www.w3.org/2001/XMLSchema#dateTime"},
    "dct:publisher": {"@type": "foaf:Agent", "schema:name": "City"},
    "dct:accessRights": {"@id": "http://publications.europa.eu/resource/authority/access-right/RESTRICTED"},
    "dcat:theme": {"@id": "https://example.org/theme/air"},
    "dcat:distribution": [
        {
            "@type": "dcat:Distribution",
            "dct:title": "Table",
            "dcat:accessURL": {"@id": "https://example.org/air.csv"},
            "dcat:mediaType": {"@id": "https://www.iana.org/assignments/media-types/text/csv"},
            "dcat:byteSize": 10,
        }
    ],
}


def test_a_catalogues_record_is_kept_but_for_what_is_told(tmp_path):
    loaded = described(tmp_path, CATALOGUED)
    found, dataset = loaded.description, loaded.description.require()
    assert (loaded.bridge.name, found.faults) == ("dcat", ())
    assert (dataset.title.zh, dataset.name, dataset.owner.organisation) == ("空气", "air", "city")
    assert (dataset.date_published, dataset.opening, dataset.usage) == ("2026-01-02", "on_terms", None)
    (file,) = dataset.distribution
    assert (file.content_url, file.encoding_format) == ("https://example.org/air.csv", ("text/csv",))
    assert places(found.not_held) == {"/dcat:theme"}
    assert "/odrl:hasPolicy" in places(found.lacking)


def test_a_catalogue_is_no_dataset(tmp_path):
    (fault,) = described(tmp_path, {**CATALOGUED, "@type": "dcat:Catalog"}).description.faults
    assert fault.path == "/@type"


RECORD = {
    "id": "7",
    "data_content": [
        {"media_type": "text/plain", "content": "泵在响"},
        {"media_type": "image/png", "content": "a.png"},
    ],
    "annotation": {"label": ["worn", 3], "annotation_method": "manual", "annotator": "A"},
    "version": "1.0.0",
    "license": "CC-BY-4.0",
    "source": "historian",
    "original_time": "2026-01-01",
    "generated_data_indicator": 1,
}


def test_records_of_others_become_a_record_set_with_labels(tmp_path):
    other = {**RECORD, "id": "8", "annotation": {"label": ["ok", 1]}, "original_time": None}
    content = "\n".join(["", json.dumps(RECORD, ensure_ascii=False), "", json.dumps(other, ensure_ascii=False)])
    loaded = described(tmp_path, content, "records.jsonl")
    found, dataset = loaded.description, loaded.description.require()
    assert (loaded.bridge.name, found.faults) == ("tc609", ())
    assert (dataset.synthetic, dataset.license, dataset.owner.organisation) == (True, "CC-BY-4.0", "historian")
    (records,) = dataset.record_sets
    assert [field.name for field in records.labels] == ["label", "label_2"]
    assert [field.data_type for field in records.fields][-2:] == ["sc:Text", "sc:Integer"]
    assert json.loads(records.inline)[0] == {
        "id": "7", "content": "泵在响", "content_2": "a.png", "label": "worn", "label_2": 3,
    }  # fmt: skip
    assert {(issue.path, issue.line) for issue in found.not_held} == {("/lines/0/original_time", 2)}


@pytest.mark.parametrize("bad", ['{"id": "1"}', '{"data_content": []}', '{"id": 1, "data_content": "x"}'])
def test_a_line_that_is_no_record_is_told_with_its_number(tmp_path, bad):
    content = "\n".join([json.dumps(RECORD), bad])
    (fault,) = described(tmp_path, content, "records.jsonl").description.faults
    assert (fault.path, fault.line) == ("/lines/1", 2)


def test_a_line_that_is_no_json_is_refused_with_its_number(tmp_path):
    with pytest.raises(InputError) as caught:
        described(tmp_path, json.dumps(RECORD) + "\n{no", "records.jsonl")
    assert "records.jsonl:2" in caught.value.render()


def test_a_catalogue_is_told_what_was_measured_and_of_which_records():
    found = Measured([Measurement("uniqueness", 1.0, "readings"), Measurement("currentness", 0.5)])
    told = write_dcat(complete(), found)["dqv:hasQualityMeasurement"]
    assert [(one["dqv:value"], one.get("pb:recordSet")) for one in told] == [(0.5, None), (1.0, "readings")]
