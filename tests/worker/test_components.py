"""Components: read from lock files, met by advisories at the right versions, quickly at the size of a base."""

import json
import time

import pytest

from pilotbase.documents.errors import InputError
from pilotbase.worker.advisories import meet, read_advisory
from pilotbase.worker.components import BuiltVersion, Component
from tests.catalogue.records_for_tests import version


def osv(name="numpy", versions=(), **events):
    ranges = [{"type": "ECOSYSTEM", "events": [{kind: at} for kind, at in events.items()]}] if events else []
    package = {"ecosystem": "PyPI", "name": name}
    return {"id": "OSV-1", "affected": [{"package": package, "ranges": ranges, "versions": list(versions)}]}


def csaf(purl, ranged=""):
    product = {"product_id": "P1", "name": "x", "product_identification_helper": {"purl": purl}}
    branch = {"category": "product_version_range" if ranged else "product_version", "name": ranged or "1"}
    tree = {"branches": [{"category": "vendor", "name": "v", "branches": [branch | {"product": product}]}]}
    return {
        "document": {"tracking": {"id": "CSAF-1"}},
        "product_tree": tree,
        "vulnerabilities": [{"product_status": {"known_affected": ["P1"]}}],
    }


def built(name, components):
    return BuiltVersion(version(name=name), tuple(Component("library", *one) for one in components))


def found(advisory, versions):
    """Return which versions of numpy an advisory meets."""
    held = [built(f"a{place}", [("numpy", one), ("scipy", "1.0")]) for place, one in enumerate(versions)]
    return [component.version for _, component in meet(held, read_advisory(json.dumps(advisory).encode()))]


@pytest.mark.parametrize(
    ("advisory", "met"),
    [
        (osv(introduced="0", fixed="1.26.2"), ["1.9.0", "1.26.1", "1.26.2rc1"]),
        (osv(introduced="1.10", last_affected="1.26.2"), ["1.26.1", "1.26.2rc1", "1.26.2"]),
        (osv(introduced="2.0"), ["2.0"]),
        (osv(versions=["1.9"]), ["1.9.0"]),
        (osv("NumPy", versions=["2.0"]), ["2.0"]),
        (osv("torch", introduced="0"), []),
        (csaf("pkg:pypi/numpy@1.26.2"), ["1.26.2"]),
        (csaf("pkg:pypi/numpy", "vers:pypi/>=1.26|<1.26.2"), ["1.26.1", "1.26.2rc1"]),
    ],
)
def test_an_advisory_meets_exactly_the_versions_that_it_says(advisory, met):
    assert found(advisory, ["1.9.0", "1.26.1", "1.26.2rc1", "1.26.2", "2.0"]) == met


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"{", "component.not_an_advisory"),
        (b"[]", "component.not_an_advisory"),
        (b'{"id": "x"}', "component.not_an_advisory"),
        (json.dumps(osv(versions=["not a version"])).encode(), "component.not_an_advisory"),
        (b'{"id": "x", "affected": [{"package": {"ecosystem": "npm", "name": "y"}}]}', "component.names_no_library"),
    ],
)
def test_what_is_no_advisory_is_refused(sent, code):
    with pytest.raises(InputError) as caught:
        read_advisory(sent)
    assert caught.value.code == code


def test_ten_thousand_versions_are_searched_within_a_second():
    one = version()
    held = [
        BuiltVersion(
            one,
            tuple(Component("library", f"lib{(place + step) % 500}", f"{step}.{place % 40}.0") for step in range(30)),
        )
        for place in range(10_000)
    ]
    advisory = read_advisory(json.dumps(osv("lib7", introduced="3", fixed="20")).encode())
    began = time.process_time()
    met = meet(held, advisory)
    assert time.process_time() - began < 1
    direct = sum(
        component.name == "lib7" and 3 <= int(component.version.split(".")[0]) < 20
        for each in held
        for component in each.components
    )
    assert len(met) == direct > 0
