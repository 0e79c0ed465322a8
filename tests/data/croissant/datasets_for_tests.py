"""Datasets of every form that a description can have: one that lacks nothing, and whatever hypothesis makes."""

import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from pilotbase.data.croissant.findings import CroissantDescription
from pilotbase.data.croissant.reading import read_croissant
from pilotbase.documents.dataset import Dataset, FieldType
from pilotbase.documents.json_reader import parse_json, read_json
from pilotbase.documents.terms import DUTIES, Action
from pilotbase.documents.vocabularies import Opening, Sector, Sensitivity

OFFER = {
    "uid": "urn:pilotbase:offer:plant/pumps",
    "assigner": "plant",
    "target": "dataset:plant/pumps",
    "permission": [
        {
            "action": "pb:computeOn",
            "constraint": [
                {"leftOperand": "odrl:purpose", "operator": "odrl:isAnyOf", "rightOperand": ["duo:0000042", "verify"]},
                {"leftOperand": "odrl:count", "operator": "odrl:lteq", "rightOperand": ["20"]},
            ],
            "duty": [{"action": "odrl:inform"}],
        }
    ],
    "prohibition": [{"action": "odrl:distribute"}, {"action": "pb:reidentify"}],
}
COMPLETE = {
    "name": "pumps",
    "title": {"en": "Pumps of the plant", "zh": "水泵"},
    "owner": {"organisation": "plant", "contact": "data@plant.example"},
    "description": {"en": "One row a pump and hour.", "zh": "每泵每小时一行。"},
    "sector": "manufacturing",
    "version": "1.2.0",
    "license": "CC-BY-4.0",
    "url": "https://plant.example/pumps",
    "creator": ["Plant"],
    "publisher": "Pilot base",
    "datePublished": "2026-05-01",
    "dateModified": "2026-06-01",
    "inLanguage": ["en", "zh"],
    "keywords": ["pump"],
    "opening": "open",
    "usageInfo": OFFER,
    "distribution": [
        {
            "kind": "file",
            "id": "pumps.csv",
            "contentUrl": "pumps.csv",
            "encodingFormat": ["text/csv"],
            "contentSize": 1234,
            "sha256": "a" * 64,
        }
    ],
    "recordSet": [
        {
            "name": "pumps",
            "rows": 12,
            "key": ["pump", "hour"],
            "time": "hour",
            "group": "pump",
            "field": [
                {
                    "name": "pump",
                    "dataType": "sc:Text",
                    "required": True,
                    "source": {"resource": "pumps.csv", "column": "pump"},
                },
                {"name": "hour", "dataType": "sc:DateTime", "source": {"resource": "pumps.csv", "column": "hour"}},
                {
                    "name": "流量 (m³/h)",
                    "dataType": "sc:Float",
                    "unit": "m3/h",
                    "minimum": 0,
                    "maximum": 900.5,
                    "missing": ["", "NA"],
                    "source": {"resource": "pumps.csv", "column": "流量 (m³/h)"},
                },
                {
                    "name": "state",
                    "dataType": "sc:Text",
                    "semantic": ["cr:Label"],
                    "values": ["ok", "worn"],
                    "source": {"resource": "pumps.csv", "column": "state"},
                },
            ],
            "rules": [{"name": "flows", "rule": "state == \"ok\" or hour > 0", "why": {"zh": "因为"}}],
            "split": {"method": "hash", "hidden": 0.3, "by": "pump"},
        }
    ],
    "responsible": {
        "collection": "Read from the plant's historian.",
        "personal_sensitive_information": ["none"],
        "limitations": ["One plant."],
        "use_cases": ["Wear of pumps."],
        "annotation_protocol": "Two fitters, blind.",
        "annotations_per_item": "2",
    },
    "provenance": {"wasDerivedFrom": ["urn:plant:historian"]},
    "required": [{"measure": "value_completeness", "at_least": 0.99}],
    "keptTerms": [{"format": "odcs", "name": "price", "term": '{"priceAmount": 9.95}'}],
}  # fmt: skip


def complete(**changes: Any) -> Dataset:
    """Return a dataset that lacks nothing, with these fields instead; ids of record sets and files differ."""
    spelled = json.loads(json.dumps(COMPLETE))
    spelled["recordSet"][0]["name"] = "readings"
    return Dataset.model_validate({**spelled, **changes})


def read(spelled: Any) -> CroissantDescription:
    """Return what a JSON value says, read as a file of somebody."""
    return read_croissant(parse_json(json.dumps(spelled, ensure_ascii=False).encode(), "description.json"))


def load_croissant(path: Path) -> CroissantDescription:
    """Return what a file of somebody says."""
    return read_croissant(read_json(path))


TEXTS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12)
NAMES = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,8}", fullmatch=True)
SAID = TEXTS | st.fixed_dictionaries({"zh": TEXTS}, optional={"en": TEXTS})
TITLES = TEXTS.map("The {}".format) | st.fixed_dictionaries({"zh": TEXTS}, optional={"en": TEXTS})
"""What is called by its own name has no title besides."""
LISTS = st.lists(TEXTS, unique=True, max_size=3)
TERMS = st.sampled_from(["cr:Label", "wd:Q48277", "https://example.org/kind", "duo:0000042", "urn:x:y"])
DAYS = st.dates().map(lambda day: day.isoformat())
TRANSFORMS = st.lists(
    st.tuples(st.sampled_from(["regex", "jsonPath", "separator", "replace", "format"]), TEXTS)
    | st.just(("readLines", "true")),
    max_size=2,
)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return dictionaries with some of the fields."""
    return st.fixed_dictionaries({}, optional=fields)


def merged(*parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(*parts).map(lambda found: {name: value for part in found for name, value in part.items()})


HEX = st.text("0123456789abcdef", min_size=64, max_size=64)
FILES = merged(
    st.fixed_dictionaries({"kind": st.just("file"), "encodingFormat": st.just(["text/csv"]), "contentUrl": TEXTS}),
    some(title=TITLES, contentSize=st.integers(0, 2**53), sha256=HEX, commitment=HEX.map("sha256:{}".format)),
    some(description=TEXTS),
)
SETS = merged(
    st.fixed_dictionaries({"kind": st.just("files"), "includes": st.lists(TEXTS, unique=True, min_size=1, max_size=2)}),
    some(title=TITLES, excludes=LISTS, description=TEXTS),
    st.just({"encodingFormat": ["image/png"]}),
)
CONTRACTS = some(
    title=TITLES,
    description=SAID,
    unit=TEXTS,
    required=st.booleans(),
    unique=st.booleans(),
    pattern=TEXTS,
    values=st.lists(TEXTS, max_size=3),
    missing=st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=3), max_size=3),
    sensitivity=st.sampled_from(list(Sensitivity)),
    repeated=st.booleans(),
    equivalentProperty=st.lists(TERMS, unique=True, max_size=2),
    semantic=st.lists(TERMS, unique=True, max_size=2),
)


@st.composite
def record_sets(draw: st.DrawFn, name: str, files: list[str], others: dict[str, list[str]]) -> dict[str, Any]:
    """Return a record set whose fields lie in one file or are all held by the description."""
    names = draw(st.lists(TEXTS, unique=True, min_size=1, max_size=4))
    file = draw(st.sampled_from(files))
    fields = [draw(fields_of(one, file, others)) for one in names]
    if draw(st.booleans()):
        fields[0] |= {"dataType": None, "source": None}
        inner = draw(fields_of(f"{names[0]}/{draw(TEXTS)}", file, {}))
        fields.insert(1, {**inner, "parent": names[0]})
    leaves = [field["name"] for field in fields]
    optional = draw(
        some(
            title=TITLES,
            description=SAID,
            key=st.lists(st.sampled_from(leaves), unique=True, max_size=2),
            time=st.sampled_from(leaves),
            group=st.sampled_from(leaves),
            rows=st.integers(0, 10**12),
            dataType=st.just(["sc:Enumeration"]),
            rules=st.lists(st.fixed_dictionaries({"name": NAMES, "rule": TEXTS, "why": SAID}), max_size=2),
            keptRules=st.just([{"format": "odcs", "field": leaves[0], "rule": '{"metric": "nullValues"}'}]),
            split=st.just({"method": "time", "column": leaves[0], "hidden_from": "2026-01-01"}),
        )
    )
    return {"name": name, "field": fields, **optional}


@st.composite
def fields_of(draw: st.DrawFn, name: str, file: str, others: dict[str, list[str]]) -> dict[str, Any]:
    field = {"name": name, "dataType": draw(st.sampled_from(list(FieldType))), **draw(CONTRACTS)}
    field["source"] = {"resource": file, "transforms": draw(TRANSFORMS), **draw(some(column=TEXTS, jsonPath=TEXTS))}
    if draw(st.booleans()):
        low, high = sorted(draw(st.tuples(NUMBERS, NUMBERS)))
        field |= {"minimum": low, "maximum": high}
    if others and draw(st.booleans()):
        other = draw(st.sampled_from(sorted(others)))
        field["references"] = {"recordSet": other, "field": draw(st.sampled_from(others[other]))}
    if field.get("repeated"):
        field |= draw(some(arrayShape=st.sampled_from(["-1,", "28,28"])))
    return field


CONSTRAINTS = st.lists(
    st.tuples(st.sampled_from(["odrl:purpose", "odrl:spatial"]), st.just("odrl:isAnyOf"), LISTS.filter(bool))
    | st.tuples(st.just("odrl:count"), st.just("odrl:lteq"), st.integers(0, 99).map(lambda count: [str(count)])),
    max_size=2,
).map(lambda found: [dict(zip(("leftOperand", "operator", "rightOperand"), one, strict=True)) for one in found])
ACTIONS = st.sampled_from([action for action in Action if action not in DUTIES])
DUTY = st.sampled_from(sorted(DUTIES)).map(lambda action: {"action": action})
OFFERS = st.fixed_dictionaries(
    {
        "uid": st.from_regex(r"urn:[A-Za-z0-9:._/-]{1,20}", fullmatch=True),
        "assigner": NAMES,
        "target": TEXTS,
        "permission": st.lists(
            st.fixed_dictionaries(
                {
                    "action": ACTIONS,
                    "constraint": CONSTRAINTS,
                    "duty": st.lists(DUTY, max_size=2, unique_by=str),
                }
            ),
            max_size=2,
        ),
        "prohibition": st.lists(st.fixed_dictionaries({"action": ACTIONS, "constraint": CONSTRAINTS}), max_size=2),
    }
)
GENERAL = merged(
    st.fixed_dictionaries({"name": NAMES, "title": SAID, "owner": NAMES.map(lambda name: {"organisation": name})}),
    st.fixed_dictionaries({"opening": st.sampled_from([Opening.OPEN, Opening.ON_TERMS])}),
    some(
        description=SAID,
        sector=st.sampled_from(list(Sector)),
        version=st.from_regex(r"(0|[1-9][0-9]{0,3})\.(0|[1-9][0-9]{0,3})\.(0|[1-9][0-9]{0,3})", fullmatch=True),
        license=TEXTS,
        url=TEXTS,
        creator=LISTS,
        publisher=TEXTS,
        datePublished=DAYS,
        dateModified=DAYS,
        dateCreated=DAYS,
        inLanguage=st.lists(st.from_regex(r"[a-z]{2,3}", fullmatch=True), unique=True, max_size=2),
    ),
    some(
        keywords=LISTS,
        citeAs=TEXTS,
        isLiveDataset=st.booleans(),
        synthetic=st.booleans(),
        nature=st.sampled_from(["measured", "simulated"]),
        usageInfo=OFFERS,
        responsible=some(collection=TEXTS, limitations=LISTS, biases=LISTS, annotations_per_item=TEXTS),
        provenance=some(wasDerivedFrom=LISTS, wasGeneratedBy=LISTS, wasAttributedTo=LISTS),
        purpose=st.sampled_from(["training", "verification", "statistics"]),
        required=st.lists(some(at_least=NUMBERS).map(lambda part: {"measure": "m", **part}), max_size=2),
    ),
)


@st.composite
def datasets(draw: st.DrawFn) -> Dataset:
    """Return a dataset that opens its files."""
    ids = draw(st.lists(TEXTS.filter(lambda name: "/" not in name), unique=True, min_size=2, max_size=5))
    split = draw(st.integers(1, len(ids) - 1))
    files, names = ids[:split], ids[split:]
    resources = []
    for index, file in enumerate(files):
        resource = {"id": file, **draw(FILES | SETS)}
        if index and draw(st.booleans()):
            resource["containedIn"] = draw(st.lists(st.sampled_from(files[:index]), unique=True, min_size=1))
        resources.append(resource)
    sets: list[dict[str, Any]] = []
    known: dict[str, list[str]] = {}
    for name in names:
        sets.append(draw(record_sets(name, files, known)))
        known[name] = [field["name"] for field in sets[-1]["field"]]
    return Dataset.model_validate({**draw(GENERAL), "distribution": resources, "recordSet": sets})
