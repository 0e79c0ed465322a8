"""Croissant files of others: the valid ones are described as they are, each faulty one is refused at its fault.

What is said is held against a count that is taken from the JSON alone.
"""

import json
from collections import Counter
from pathlib import Path

import pytest

from pilotbase.data.croissant.writing import write_croissant
from pilotbase.documents.dataset import FileObject
from pilotbase.documents.vocabularies import Opening
from tests.data.croissant.datasets_for_tests import load_croissant, read

FOLDER = Path(__file__).parents[4] / "shared" / "conformance" / "croissant"
VALID, FAULTY = sorted(FOLDER.glob("valid/*.json")), sorted(FOLDER.glob("faulty/*.json"))
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the conformance files are not at {FOLDER}")
PLACES = {
    "distribution_bad_contained_in": "/distribution/0/containedIn",
    "distribution_bad_id": "/distribution/0/@id",
    "distribution_bad_type": "/distribution/0/@type",
    "distribution_missing_encoding_format": "/distribution/0/encodingFormat",
    "distribution_missing_name": "/distribution/0/name",
    "distribution_missing_property_content_url": "/distribution/0/contentUrl",
    "metadata_bad_type": "/@type",
    "metadata_missing_property_name": "/name",
    "mlfield_bad_source": "/recordSet/0/field/0/source",
    "mlfield_bad_type": "/recordSet/0/field/0/@type",
    "mlfield_missing_property_name": "/recordSet/0/field/0/name",
    "mlfield_missing_source": "/recordSet/0/field/0/source",
    "recordset_bad_type": "/recordSet/0/@type",
    "recordset_missing_context_for_datatype": "/recordSet/0/field/0/dataType",
    "recordset_missing_property_name": "/recordSet/0/name",
    "recordset_wrong_join": "/recordSet/0/field",
}
"""What a faulty file is called after → where its fault is."""


def name(path):
    return path.stem


def listed(value):
    return value if isinstance(value, list) else [] if value is None else [value]


def fields_in(record_set):
    """Every field of a record set as the JSON has it, sub-fields after the field that they are of."""
    waiting = list(listed(record_set.get("field")))
    while waiting:
        field = waiting.pop(0)
        yield field
        waiting = listed(field.get("subField")) + waiting


def local(spelled):
    return spelled.rpartition(":")[2].rpartition("/")[2]


def counted(document):
    """What the JSON says, counted without any of our reader: by kind, type, column, glob, key, reference."""
    record_sets = listed(document.get("recordSet"))
    fields = [field for one in record_sets for field in fields_in(one)]
    sources = [field["source"] for field in fields if "source" in field]
    extracts = [source.get("extract", {}) for source in sources]
    return {
        "files": sum(one["@type"].endswith("FileObject") for one in listed(document.get("distribution"))),
        "sets": sum(one["@type"].endswith("FileSet") for one in listed(document.get("distribution"))),
        "addresses": Counter(one["contentUrl"] for one in document.get("distribution", []) if "contentUrl" in one),
        "globs": Counter(glob for one in document.get("distribution", []) for glob in listed(one.get("includes"))),
        "held": sum(len(listed(one.get("containedIn"))) for one in document.get("distribution", [])),
        "fields": Counter(len(list(fields_in(one))) for one in record_sets),
        "types": Counter(local(kind) for field in fields for kind in listed(field.get("dataType"))),
        "columns": Counter(extract["column"] for extract in extracts if "column" in extract),
        "paths": Counter(extract["jsonPath"] for extract in extracts if "jsonPath" in extract),
        "properties": Counter(extract["fileProperty"] for extract in extracts if "fileProperty" in extract),
        "brought": sum("/" in str(source.get("field")) for source in sources),
        "references": sum("references" in field for field in fields),
        "transforms": sum(len(listed(source.get("transform"))) for source in sources),
        "repeated": sum(bool(field.get("repeated")) for field in fields),
        "records": sum(len(listed(one.get("data"))) for one in record_sets),
    }


def described(dataset):
    fields = [field for one in dataset.record_sets for field in one.fields]
    sources = [field.source for field in fields if field.source is not None]
    names = {one.name for one in dataset.record_sets}
    of_files = [source for source in sources if source.resource not in names]
    types = (kind for field in fields for kind in ([field.data_type] if field.data_type else []) + list(field.semantic))
    files = [one for one in dataset.distribution if isinstance(one, FileObject)]
    sets = [one for one in dataset.distribution if not isinstance(one, FileObject)]
    return {
        "files": len(files),
        "sets": len(sets),
        "addresses": Counter(one.content_url for one in files),
        "globs": Counter(glob for one in sets for glob in one.includes),
        "held": sum(len(one.contained_in) for one in dataset.distribution),
        "fields": Counter(len(one.fields) for one in dataset.record_sets),
        "types": Counter(local(kind) for kind in types),
        "columns": Counter(source.column for source in of_files if source.column),
        "paths": Counter(source.json_path for source in sources if source.json_path),
        "properties": Counter(source.file_property for source in sources if source.file_property),
        "brought": sum(source.resource in names for source in sources),
        "references": sum(bool(field.references or field.joins) for field in fields),
        "transforms": sum(len(source.transforms) for source in sources),
        "repeated": sum(field.repeated for field in fields),
        "records": sum(len(json.loads(one.inline)) for one in dataset.record_sets if one.inline),
    }


@pytest.mark.parametrize("path", VALID, ids=name)
def test_a_valid_file_is_described_as_it_is(path):
    document = json.loads(path.read_text("utf-8"))
    found = load_croissant(path)
    assert found.faults == ()
    assert described(found.require()) == counted(document)
    assert found.require().title == document.get("name", "unknown")
    assert found.version == path.name[:3]


@pytest.mark.parametrize("path", VALID, ids=name)
def test_what_a_valid_file_lacks_is_told_as_lacking_with_its_place_and_what_to_do(path):
    document = json.loads(path.read_text("utf-8"))
    found = load_croissant(path)
    told = {issue.path for issue in found.lacking}
    for wanted in ("name", "license", "creator", "datePublished", "dateModified", "publisher", "usageInfo", "version"):
        assert wanted in document or f"/{wanted}" in told
    assert all(issue.hint is not None and issue.line for issue in found.lacking)
    hashes = [one.get("sha256") for one in document.get("distribution", [])]
    no_hash = {f"/distribution/{index}/sha256" for index, one in enumerate(hashes) if one and len(one) != 64}
    assert no_hash <= told


@pytest.mark.parametrize("path", VALID, ids=name)
def test_nothing_vanishes_silently(path):
    """Each text of the file is in the dataset, or its place is told; but for what a reference or a type spells."""
    found = load_croissant(path)
    kept = found.require().canonical().decode() + write_croissant_text(found.require())
    told = {issue.path for issue in (*found.lacking, *found.not_held)}
    for place, spelled in texts(json.loads(path.read_text("utf-8"))):
        if not any(place.startswith(one) for one in told):
            assert json.dumps(spelled, ensure_ascii=False)[1:-1] in kept, place


def write_croissant_text(dataset):
    return json.dumps(write_croissant(dataset.model_copy(update={"opening": Opening.OPEN})), ensure_ascii=False)


SPELLED_OTHERWISE = ("@context", "@type", "@language", "@id", "conformsTo", "dataType", "contentSize", "key")


def texts(value, place=""):
    if isinstance(value, dict):
        for key, inner in value.items():
            is_id = key == "name" and inner == value.get("@id")
            if not is_id and key not in SPELLED_OTHERWISE:
                yield from texts(inner, f"{place}/{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from texts(inner, f"{place}/{index}")
    elif isinstance(value, str):
        yield place, value


@pytest.mark.parametrize("path", VALID, ids=name)
def test_a_valid_file_written_again_says_the_same(path):
    dataset = load_croissant(path).require().model_copy(update={"opening": Opening.OPEN})
    again = read(write_croissant(dataset))
    assert again.faults == () and again.version == "1.1"
    assert again.require() == dataset


@pytest.mark.parametrize("path", FAULTY, ids=name)
def test_a_faulty_file_is_refused_at_its_fault_and_nothing_else_is_called_one(path):
    found = load_croissant(path)
    place = PLACES[path.stem.partition("__")[2]]
    assert found.dataset is None
    assert [issue.path.startswith(place) for issue in found.faults] == [True]
    (fault,) = found.faults
    assert fault.line and fault.hint is not None
    assert fault.render("en") != fault.render("zh")
