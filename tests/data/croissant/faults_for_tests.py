"""One fault each in a description that lacks nothing: where it is, and what mlcroissant 1.1.1 makes of it.

What we refuse and mlcroissant accepts has its reason here; `test_mlcroissant` holds that it still does.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pilotbase.data.croissant.writing import write_croissant
from tests.data.croissant.datasets_for_tests import complete

Json = Any


@dataclass(frozen=True)
class Fault:
    """A change that spoils a description."""

    change: Callable[[Json], object]
    place: str
    code: str
    accepted: str | None
    """Why we refuse what mlcroissant accepts; None: it refuses too."""


def spoiled(fault: Fault) -> Json:
    """Return the complete description with the fault."""
    written = write_croissant(complete())
    fault.change(written)
    return written


def without(*steps: str | int) -> Callable[[Json], object]:
    def change(value: Json) -> None:
        *above, last = steps
        for step in above:
            value = value[step]
        del value[last]

    return change


def put(found: Json, *steps: str | int) -> Callable[[Json], object]:
    def change(value: Json) -> None:
        *above, last = steps
        for step in above:
            value = value[step]
        value[last] = found

    return change


def constrained(found: Json, *steps: str | int) -> Callable[[Json], object]:
    return put(found, "usageInfo", "odrl:permission", 0, "odrl:constraint", 1, *steps)


def twice(value: Json) -> None:
    value["recordSet"].append({**value["recordSet"][0], "field": []})


UNFOUND = "whoever looks for data cannot tell one dataset from another"
UNLICENSED = "nobody may rely on a licence that nobody can look up"
UNCHECKED = "a file that nobody can check may be another one"
UNEXPLAINED = "responsible use cannot be judged by what is not said, or said under a name that nobody reads"
DENIED = "terms that are not understood would be left out by whoever evaluates them, and so permit more"
OFFER, RULE = "/usageInfo", "/usageInfo/odrl:permission/0/odrl:constraint/1"
FILE, SET = "/distribution/0", "/recordSet/0"
FAULTS = {
    "no name": Fault(without("name"), "/name", "missing", UNFOUND),
    "no description": Fault(
        lambda value: (value.pop("description"), value.pop("pb:description")), "/description", "missing", UNFOUND
    ),
    "no url": Fault(without("url"), "/url", "missing", UNFOUND),
    "no creator": Fault(without("creator"), "/creator", "missing", UNFOUND),
    "no publisher": Fault(without("publisher"), "/publisher", "missing", UNFOUND),
    "no language": Fault(without("inLanguage"), "/inLanguage", "missing", UNFOUND),
    "no owner": Fault(without("pb:owner"), "/pb:owner", "no_owner", UNFOUND),
    "no licence": Fault(without("license"), "/license", "missing", UNLICENSED),
    "free licence": Fault(put("free for research", "license"), "/license", "free_licence", UNLICENSED),
    "placeholder": Fault(put("Other", "license"), "/license", "free_licence", UNLICENSED),
    "no day": Fault(without("datePublished"), "/datePublished", "missing", UNFOUND),
    "not modified": Fault(without("dateModified"), "/dateModified", "missing", UNFOUND),
    "bad day": Fault(put("soon", "datePublished"), "/datePublished", "no_day", None),
    "no version": Fault(without("version"), "/version", "missing", "nothing can be said to be about the same data"),
    "short version": Fault(put("1.0", "version"), "/version", "no_version", "1.0 and 1.0.0 would be two versions"),
    "no record sets": Fault(put([], "recordSet"), "/recordSet", "missing", "nobody can tell what the files hold"),
    "no hash": Fault(without("distribution", 0, "sha256"), f"{FILE}/sha256", "missing", None),
    "bad hash": Fault(put("zzz", "distribution", 0, "sha256"), f"{FILE}/sha256", "no_hash", UNCHECKED),
    "no size": Fault(without("distribution", 0, "contentSize"), f"{FILE}/contentSize", "missing", UNCHECKED),
    "no format": Fault(without("distribution", 0, "encodingFormat"), f"{FILE}/encodingFormat", "no_format", None),
    "no address": Fault(without("distribution", 0, "contentUrl"), f"{FILE}/contentUrl", "no_address", None),
    "same id": Fault(twice, "/recordSet/1/@id", "double_id", "a reference to it means either"),
    "unknown type": Fault(
        put("sc:Flaot", "recordSet", 0, "field", 0, "dataType"), f"{SET}/field/0/dataType", "unknown_type", None
    ),
    "unknown file": Fault(
        put({"@id": "pump.csv"}, "recordSet", 0, "field", 0, "source", "fileObject"),
        f"{SET}/field/0/source/fileObject",
        "unknown_id",
        None,
    ),
    "unknown key": Fault(
        put({"@id": "readings/pmup"}, "recordSet", 0, "key"),
        f"{SET}/key",
        "unknown_key",
        "records that belong to nobody cannot be told apart",
    ),
    "unknown responsible use": Fault(put("x", "rai:bogus"), "/rai:bogus", "unknown_term", UNEXPLAINED),
    "no collection": Fault(without("rai:dataCollection"), "/rai:dataCollection", "missing", UNEXPLAINED),
    "unsaid labels": Fault(without("rai:annotationsPerItem"), "/rai:annotationsPerItem", "unsaid_labels", UNEXPLAINED),
    "no terms": Fault(without("usageInfo"), OFFER, "missing", DENIED),
    "two types": Fault(
        put(["sc:CreativeWork", "odrl:Offer"], "usageInfo", "@type"), f"{OFFER}/@type", "several_types", DENIED
    ),
    "no offer": Fault(put("ask us", "usageInfo"), OFFER, "no_offer", DENIED),
    "no left operand": Fault(
        without("usageInfo", "odrl:permission", 0, "odrl:constraint", 1, "odrl:leftOperand"),
        f"{RULE}/odrl:leftOperand",
        "no_term",
        DENIED,
    ),
    "unknown left operand": Fault(
        constrained({"@id": "odrl:coutn"}, "odrl:leftOperand"), f"{RULE}/odrl:leftOperand", "unknown_term", DENIED
    ),
    "unknown operator": Fault(
        constrained({"@id": "odrl:about"}, "odrl:operator"), f"{RULE}/odrl:operator", "unknown_term", DENIED
    ),
    "no such pair": Fault(constrained({"@id": "odrl:gt"}, "odrl:operator"), OFFER, "no_fit", DENIED),
    "unknown action": Fault(
        put({"@id": "odrl:bogus"}, "usageInfo", "odrl:permission", 0, "odrl:action"),
        f"{OFFER}/odrl:permission/0/odrl:action",
        "unknown_term",
        DENIED,
    ),
    "unknown in a constraint": Fault(constrained("x", "odrl:unit"), f"{RULE}/odrl:unit", "unknown_term", DENIED),
    "unknown in an offer": Fault(
        put({"odrl:action": {"@id": "odrl:use"}}, "usageInfo", "odrl:obligation"),
        f"{OFFER}/odrl:obligation",
        "unknown_term",
        DENIED,
    ),
    "other conflict": Fault(
        put({"@id": "odrl:perm"}, "usageInfo", "odrl:conflict"), f"{OFFER}/odrl:conflict", "unknown_term", DENIED
    ),
}
