"""What a description of somebody says, in whatever style, and what of it is refused, lacking or not kept."""

import copy
import json
import time

import pytest

from pilotbase.data.croissant.findings import MOST
from pilotbase.data.croissant.reading import read_croissant
from pilotbase.data.croissant.vocabulary import PREFIXES, PROFILE
from pilotbase.data.croissant.writing import write_croissant
from pilotbase.documents.errors import InputError
from pilotbase.documents.json_reader import MAXIMUM_BYTES, parse_json
from tests.data.croissant.datasets_for_tests import complete, read
from tests.data.croissant.faults_for_tests import FAULTS, put, spoiled


def places(issues):
    return {(issue.path, issue.problem.code.removeprefix("croissant.")) for issue in issues}


SILENT = {
    "a shape alone": (
        put("28,28", "recordSet", 0, "field", 0, "arrayShape"),
        "/recordSet/0/field/0/arrayShape",
        "shape_alone",
    ),
    "a name that is none": (put(True, "name"), "/name", "no_text"),
    "an address that runs": (put("javascript:alert(1)", "url"), "/url", "strange_address"),
    "a file's, too": (
        put(" JavaScript://%0aalert(1)", "distribution", 0, "contentUrl"),
        "/distribution/0/contentUrl",
        "strange_address",
    ),
    "no address": (put("plant", "url"), "/url", "strange_address"),
    "another version": (put(["http://mlcommons.org/croissant/9.9"], "conformsTo"), "/conformsTo", "unknown_version"),
}


@pytest.mark.parametrize("kind", SILENT)
def test_nothing_strange_passes_silently(kind):
    """Each is named in its place, keeps the description from being published, and leaves the rest readable."""
    change, place, code = SILENT[kind]
    written = write_croissant(complete())
    change(written)
    found = read(written)
    assert (place, f"croissant.{code}") in {(one.path, one.problem.code) for one in (*found.faults, *found.lacking)}
    assert found.version in ("0.8", "1.0", "1.1")


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_one_fault_is_told_at_its_place_and_alone(fault):
    found = read(spoiled(fault))
    assert found.dataset is None
    assert places(found.faults) == {(fault.place, fault.code)}
    assert found.not_held == ()


def test_all_faults_are_told_in_one_reading():
    written = write_croissant(complete())
    told = set()
    for name in ("no url", "bad hash", "unknown key", "unknown responsible use", "unknown action", "free licence"):
        FAULTS[name].change(written)
        told.add((FAULTS[name].place, FAULTS[name].code))
    assert places(read(written).faults) == told


def test_who_does_not_claim_our_profile_is_only_told_what_is_lacking():
    for name in ("no url", "bad hash", "unknown responsible use", "no left operand", "short version"):
        written = spoiled(FAULTS[name])
        written["conformsTo"].remove(PROFILE)
        found = read(written)
        assert found.faults == () and places(found.lacking) == {(FAULTS[name].place, FAULTS[name].code)}
    assert found.require().version == "1.0.0"


def test_terms_that_are_not_understood_in_one_place_permit_nothing_at_all():
    written = spoiled(FAULTS["unknown left operand"])
    written["conformsTo"].remove(PROFILE)
    assert read(written).require().usage is None
    assert read(write_croissant(complete())).require().usage is not None


def renamed(value, names):
    if isinstance(value, dict):
        return {names(key): inner if key == "@value" else renamed(inner, names) for key, inner in value.items()}
    return [renamed(inner, names) for inner in value] if isinstance(value, list) else value


SPACES = {"cr": "http://mlcommons.org/croissant/", "dct": "http://purl.org/dc/terms/", "sc": "http://schema.org/"}
OF_CROISSANT = (
    *("field", "source", "extract", "column", "recordSet", "fileObject"),
    *("dataType", "key", "annotation", "isLiveDataset"),
)


def space_of(name):
    return "cr" if name in OF_CROISSANT else "dct" if name == "conformsTo" else "sc"


def is_whole(name):
    return name[0] == "@" or ":" in name


STYLES = {
    "prefixed": lambda name: name if is_whole(name) else f"my-{space_of(name)}:{name}",
    "addresses": lambda name: name if is_whole(name) else SPACES[space_of(name)] + name,
}


@pytest.mark.parametrize("style", STYLES)
def test_the_same_is_read_whatever_the_context_calls_it(style):
    written = write_croissant(complete())
    context = written.pop("@context")
    other = renamed(written, STYLES[style])
    known = {name: space for name, space in context.items() if name in PREFIXES}
    mine = {f"my-{name}": space for name, space in SPACES.items()}
    other["@context"] = {**known, **mine, "@vocab": "https://example.org/"}
    assert read(other).require() == complete()


def test_a_reference_may_be_a_text_or_an_object_and_a_list_of_one_is_that_one():
    written = write_croissant(complete())
    other = copy.deepcopy(written)
    for field in other["recordSet"][0]["field"]:
        field["source"]["fileObject"] = field["source"]["fileObject"]["@id"]
        field["dataType"] = [field["dataType"]] if isinstance(field["dataType"], str) else field["dataType"]
    other["distribution"] = other["distribution"][0]
    other["creator"] = [other["creator"]]
    other["license"] = {"@type": "sc:CreativeWork", "url": other["license"]}
    assert other != written
    assert read(other).require() == complete()


def test_a_known_context_is_not_fetched_and_an_unknown_one_is_told():
    written = write_croissant(complete())
    written["@context"] = ["http://mlcommons.org/croissant/1.1", "https://example.org/context.json"]
    found = read(written)
    assert found.require() == complete()
    assert places(found.not_held) == {("/@context/1", "context_not_fetched")}


def test_a_name_that_means_another_property_is_not_taken_for_it():
    written = write_croissant(complete())
    written["@context"]["source"] = "https://example.org/source"
    assert {code for _, code in places(read(written).faults)} == {"no_source"}


def test_what_has_no_place_is_told_once_at_its_place():
    written = write_croissant(complete())
    written["funder"] = {"@type": "Organization", "name": "A fund", "url": "https://fund.example"}
    written["recordSet"][0]["examples"] = [{"a": 1}]
    written["recordSet"][0]["field"][0]["ex:colour"] = "red"
    written["license"] = [written["license"], "MIT"]
    written["conformsTo"].append("https://example.org/another/standard")
    assert places(read(written).not_held) == {
        ("/conformsTo", "not_held"),
        ("/funder", "not_held"),
        ("/license", "several"),
        ("/recordSet/0/examples", "not_held"),
        ("/recordSet/0/field/0/ex:colour", "not_held"),
    }


def test_names_that_the_prose_of_responsible_use_spells_otherwise_are_understood():
    written = write_croissant(complete())
    written["rai:useCases"] = written.pop("rai:dataUseCases")
    assert read(written).require() == complete()


def test_nested_fields_constants_shapes_and_joins_are_held():
    written = write_croissant(complete())
    record_set, file = written["recordSet"][0], {"fileObject": {"@id": "pumps.csv"}}
    record_set["field"] += [
        {
            "@type": "cr:Field",
            "@id": "readings/place",
            "dataType": "sc:GeoCoordinates",
            "subField": [
                {
                    "@type": "cr:Field",
                    "@id": f"readings/place/{name}",
                    "dataType": "sc:Float",
                    "source": {**file, "extract": {"column": name}},
                }
                for name in ("latitude", "longitude")
            ],
        },
        {"@type": "cr:Field", "@id": "readings/unit", "dataType": "sc:Text", "value": "m3/h"},
        {
            "@type": "cr:Field",
            "@id": "readings/image",
            "dataType": ["cr:UInt8", "sc:ImageObject"],
            "isArray": True,
            "arrayShape": "28,28",
            "source": {**file, "extract": {"column": "image"}, "transform": {"separator": "|"}, "format": "x"},
            "references": {**file, "extract": {"column": "image_id"}},
        },
    ]
    found = read(written)
    assert (found.faults, found.not_held) == ((), ())
    fields = {field.name: field for field in found.require().record_sets[0].fields}
    assert fields["place/latitude"].parent == "place" and fields["place"].semantic == ("sc:GeoCoordinates",)
    assert fields["unit"].value == '"m3/h"' and fields["unit"].source is None
    image = fields["image"]
    assert (image.data_type, image.semantic, image.array_shape) == ("sc:ImageObject", ("cr:UInt8",), "28,28")
    assert image.source.transforms == (("separator", "|"), ("format", "x")) and image.joins.column == "image_id"
    assert read(write_croissant(found.require())).require() == found.require()


def test_fields_of_two_files_need_a_reference_between_them():
    written = write_croissant(complete())
    other = {**written["distribution"][0], "@id": "other.csv", "name": "other.csv"}
    written["distribution"].append(other)
    record_set = written["recordSet"][0]
    record_set["field"][1]["source"] = {"fileObject": {"@id": "other.csv"}, "extract": {"column": "hour"}}
    assert places(read(written).faults) == {("/recordSet/0/field", "not_joined")}
    record_set["field"][0]["references"] = {"fileObject": {"@id": "other.csv"}, "extract": {"column": "pump"}}
    assert read(written).faults == ()


def circled(change):
    written = write_croissant(complete())
    change(written)
    return places(read(written).faults)


def test_whatever_leads_back_to_itself_is_refused():
    def of_files(value):
        value["distribution"][0]["containedIn"] = {"@id": "b.zip"}
        value["distribution"].append(
            {**value["distribution"][0], "@id": "b.zip", "name": "b.zip", "containedIn": {"@id": "pumps.csv"}}
        )

    def of_sources(value):
        for one, other in ((0, 1), (1, 0)):
            value["recordSet"][0]["field"][one]["source"] = {"field": {"@id": f"readings/{('pump', 'hour')[other]}"}}

    def of_references(value):
        value["recordSet"][0]["field"][0]["references"] = {"@id": "readings/pump"}

    assert circled(of_files) == {("/distribution/0/containedIn", "circle"), ("/distribution/1/containedIn", "circle")}
    assert {code for _, code in circled(of_sources)} >= {"circle"}
    assert circled(of_references) == {("/recordSet/0/field/0", "circle")}


@pytest.mark.parametrize(
    "data",
    [
        b'{"@context": {}, "name": "a", "name": "b"}',
        b'{"@context": ' + b"[" * 2000 + b"]" * 2000 + b"}",
        b'{"a": [' + b"[]," * 600_000 + b"[]]}",
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b'{"a": "\\ud800"}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b"[]",
        b"\xff\xfe{\x00}\x00",
        b" " * (MAXIMUM_BYTES + 1),
    ],
    ids=["double", "deep", "many", "nan", "infinite", "surrogate", "digits", "list", "utf-16", "large"],
)
def test_hostile_json_is_refused_in_words(data):
    with pytest.raises(InputError) as caught:
        parse_json(data, "bad.json")
    assert "bad.json" in caught.value.render("zh")


def test_a_double_key_is_told_with_its_line():
    with pytest.raises(InputError) as caught:
        parse_json(b'{\n "a": {"x": 1,\n  "x": 2}\n}', "bad.json")
    assert [(issue.path, issue.line) for issue in caught.value.issues] == [("/a/x", 3)]


TERM_BOMB = {f"t{index}": f"t{index + 1}" for index in range(2000)}
HOSTILE = {
    "terms that are defined by each other": {"@context": {"a": "b", "b": "a", "c:d": "c:d"}, "a": 1, "b": 2},
    "a long chain of terms": {"@context": TERM_BOMB, "t0": 1},
    "no context": {"@type": "Dataset"},
    "values of any form": {
        "@context": "http://mlcommons.org/croissant/1.1",
        "@type": ["sc:Dataset", 1],
        "@id": 1,
        "conformsTo": [{"@id": "http://mlcommons.org/croissant/1.1"}, None, 3],
        "name": [[["x"]]],
        "license": [{}],
        "version": {"@value": 1.5},
        "distribution": [1, None, {"@type": "cr:FileObject", "@id": 7}, {"@type": 4}],
        "recordSet": [{"@type": "cr:RecordSet", "@id": "r", "field": ["x", {"@id": "r/a"}], "data": 4, "key": {}}],
        "usageInfo": {"@type": "odrl:Offer", "odrl:permission": ["x", {}, {"odrl:action": [1, 2]}]},
        "pb:required": "x",
        "pb:owner": 3,
        "isLiveDataset": "perhaps",
        "inLanguage": ["English", 5],
    },
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_description_is_refused_with_places(name):
    found = read(HOSTILE[name])
    assert found.dataset is None and found.faults
    for issue in (*found.faults, *found.lacking, *found.not_held):
        assert issue.render("en") != issue.render("zh")


@pytest.mark.prove
def test_a_great_many_faults_are_told_in_time_and_counted():
    field = {"@type": "cr:Field", "dataType": "sc:Flaot", "source": {"fileObject": {"@id": "none"}}}
    fields = [{**field, "@id": f"r/{index}", "key": index} for index in range(3_000)]
    value = {
        "@context": "http://mlcommons.org/croissant/1.1",
        "@type": "sc:Dataset",
        "name": "n",
        "recordSet": {
            "@type": "cr:RecordSet",
            "@id": "r",
            "field": fields,
            "key": [{"@id": str(i)} for i in range(3_000)],
        },
    }
    source = parse_json(json.dumps(value).encode(), "big.json")
    begun = time.process_time()
    found = read_croissant(source)
    assert time.process_time() - begun < 10
    assert len(found.faults) == MOST + 1
    assert found.faults[-1].problem.params["count"] == 6_000 - MOST


def test_what_1_1_adds_is_understood():
    """A source and a reference named by an id alone, holders behind a data source, names in languages, annotations."""
    spoken = {"en": "Ratings", "zh": "评分", "de": "Bewertungen"}
    value = {
        "@context": "http://mlcommons.org/croissant/1.1",
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": spoken,
        "distribution": [
            {"@type": "cr:FileObject", "@id": "m.zip", "contentUrl": "m.zip", "encodingFormat": "application/zip"},
            {
                "@type": "cr:FileSet",
                "@id": "files",
                "containedIn": {"@type": "cr:DataSource", "fileObject": {"@id": "m.zip"}},
                "encodingFormat": ["text/csv"],
                "includes": ["*.csv", "*.tsv"],
                "excludes": "old*",
            },
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": "movies",
                "key": {"@id": "movies/id"},
                "annotation": [
                    {
                        "@type": "cr:Field",
                        "name": "n",
                        "value": 3,
                        "dataType": "http://www.wikidata.org/entity/Q4049983",
                    },
                    {"@type": "cr:Field", "@id": "movies/note", "dataType": "sc:Text"},
                ],
                "field": [
                    {
                        "@type": "cr:Field",
                        "@id": f"movies/{name}",
                        "dataType": "sc:Text",
                        "source": {"fileSet": {"@id": "files"}, "extract": {"column": name}},
                    }
                    for name in ("id", "title")
                ],
            },
            {
                "@type": "cr:RecordSet",
                "@id": "ratings",
                "name": spoken,
                "field": [
                    {
                        "@type": "cr:Field",
                        "@id": "ratings/movie",
                        "dataType": "sc:Text",
                        "source": {"fileSet": {"@id": "files"}, "extract": {"column": "movie"}},
                        "references": {"@id": "movies/id"},
                    },
                    {"@type": "cr:Field", "@id": "ratings/title", "source": {"@id": "movies/title"}},
                ],
            },
        ],
    }
    found = read(value)
    assert found.faults == () and found.version == "1.1"
    dataset = found.require()
    files, (movies, ratings) = dataset.distribution[1], dataset.record_sets
    assert (files.contained_in, files.includes, files.excludes) == (("m.zip",), ("*.csv", "*.tsv"), ("old*",))
    assert (movies.rows, movies.key) == (3, ("id",))
    assert (ratings.title.en, ratings.title.zh, dataset.title.zh) == ("Ratings", "评分", "评分")
    movie, title = ratings.fields
    assert (movie.references.record_set, movie.references.field) == ("movies", "id")
    assert (title.source.resource, title.source.column, title.data_type) == ("movies", "title", None)
    assert places(found.not_held) == {
        ("/name/de", "other_language"),
        ("/recordSet/0/annotation/1", "not_held"),
        ("/recordSet/1/name/de", "other_language"),
    }


def test_0_8_and_1_0_describe_the_same_dataset():
    """The same description in both versions: names for ids and ``ml:`` there, ``@id`` and ``cr:`` here."""
    file = {"contentUrl": "a.csv", "encodingFormat": "text/csv", "sha256": "a" * 64}
    old = {
        "@context": {
            "@vocab": "https://schema.org/",
            "sc": "https://schema.org/",
            "ml": "http://mlcommons.org/schema/",
        },
        "@type": "sc:Dataset",
        "name": "t",
        "distribution": [{"@type": "sc:FileObject", "name": "a", **file}],
        "ml:recordSet": {
            "@type": "ml:RecordSet",
            "name": "r",
            "key": "x",
            "ml:isEnumeration": True,
            "ml:field": {
                "@type": "ml:Field",
                "name": "x",
                "ml:dataType": "sc:Integer",
                "ml:source": {"distribution": "a", "ml:extract": {"ml:column": "x"}},
            },
        },
    }
    new = {
        "@context": "http://mlcommons.org/croissant/1.0",
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": "t",
        "distribution": [{"@type": "cr:FileObject", "@id": "a", **file}],
        "recordSet": {
            "@type": "cr:RecordSet",
            "@id": "r",
            "key": {"@id": "r/x"},
            "dataType": "sc:Enumeration",
            "field": {
                "@type": "cr:Field",
                "@id": "r/x",
                "dataType": "sc:Integer",
                "source": {"fileObject": {"@id": "a"}, "extract": {"column": "x"}},
            },
        },
    }
    assert (read(old).version, read(new).version) == ("0.8", "1.0")
    assert read(old).require() == read(new).require()


@pytest.mark.parametrize(
    ("record", "place", "code"),
    [
        ({"side/name": "left", "name": "right"}, "/recordSet/1/data/0", "double_id"),
        ({"side/naem": "left"}, "/recordSet/1/data/0/side~1naem", "unknown_id"),
        ({"readings/pump": "left"}, "/recordSet/1/data/0/readings~1pump", "unknown_id"),
        ("left", "/recordSet/1/data/0", "no_object"),
    ],
)
def test_a_record_in_a_description_has_each_of_its_own_fields_once(record, place, code):
    written = write_croissant(complete())
    field = {"@type": "cr:Field", "@id": "side/name", "dataType": "sc:Text"}
    written["recordSet"].append({"@type": "cr:RecordSet", "@id": "side", "field": field, "data": [record]})
    assert places(read(written).faults) == {(place, code)}


@pytest.mark.parametrize(
    ("spelled", "size"),
    [("117743 B", 117743), (12, 12), ("4.5 KB", 4500), ("4.5 KiB", 4608), ("1,234 bytes", 1234), ("2 GB", 2 * 10**9)],
)
def test_a_size_is_read_in_its_unit(spelled, size):
    written = write_croissant(complete())
    written["distribution"][0]["contentSize"] = spelled
    assert read(written).require().distribution[0].content_size == size


def test_a_size_that_is_none_is_told():
    written = write_croissant(complete())
    written["distribution"][0]["contentSize"] = "large"
    assert places(read(written).faults) == {("/distribution/0/contentSize", "no_size")}
