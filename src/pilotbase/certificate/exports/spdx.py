"""SPDX 3.0.1 with the profiles AI and Dataset: the application, the hidden set, and that one was tested on the other.

Source: SPDX 3.0.1, Core, Software, AI and Dataset; as JSON-LD.
"""

from __future__ import annotations

from typing import Any

from pilotbase.certificate.exports import Export, ProvenCertificate
from pilotbase.documents.hashes import canonical_json, hex_of
from pilotbase.documents.texts import text

_CONTEXT = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"
_INFO = "_:creation"


def _write(proof: ProvenCertificate) -> bytes:
    organisations = {
        proof.certificate.issuer,
        proof.certificate.application.supplier.organisation,
        proof.certificate.scenario.owner.organisation,
    }
    elements = [
        *(_element(proof, "Organization", _of_organisation(name), name=name) for name in sorted(organisations)),
        _application(proof),
        _hidden_set(proof),
        _element(
            proof,
            "Relationship",
            "tested-on",
            **{"from": _id(proof, "application"), "to": [_id(proof, "hidden-set")], "relationshipType": "testedOn"},
        ),
    ]
    document = _element(
        proof,
        "SpdxDocument",
        "document",
        profileConformance=["core", "software", "ai", "dataset"],
        rootElement=[_id(proof, "application")],
        element=[one["spdxId"] for one in elements],
    )
    info = {
        "type": "CreationInfo",
        "@id": _INFO,
        "specVersion": "3.0.1",
        "created": proof.issued,
        "createdBy": [_id(proof, _of_organisation(proof.certificate.issuer))],
    }
    return canonical_json({"@context": _CONTEXT, "@graph": [info, document, *elements]}) + b"\n"


def _application(proof: ProvenCertificate) -> dict[str, Any]:
    application = proof.certificate.application
    figures = {
        one.rule.key: f"{one.result.estimate:.10g}"
        for one in proof.criteria
        if one.result is not None and one.result.estimate is not None
    }
    return _element(
        proof,
        "ai_AIPackage",
        "application",
        name=application.name,
        description=proof.claim,
        comment="The time of release is that of the certificate.",
        releaseTime=proof.issued,
        software_packageVersion=application.version,
        software_primaryPurpose="model",
        software_downloadLocation=f"urn:sha256:{hex_of(application.digest)}",
        suppliedBy=_id(proof, _of_organisation(application.supplier.organisation)),
        verifiedUsing=[{"type": "Hash", "algorithm": "sha256", "hashValue": hex_of(application.digest)}],
        ai_metric=_entries(figures),
        ai_metricDecisionThreshold=_entries({one.rule.key: _threshold(one.source) for one in proof.criteria}),
        ai_limitation="\n".join(proof.limits),
    )


def _hidden_set(proof: ProvenCertificate) -> dict[str, Any]:
    """Return the hidden cases: who owns them and how many there are, confidential, without a digest to guess at."""
    scenario = proof.certificate.scenario
    return _element(
        proof,
        "dataset_DatasetPackage",
        "hidden-set",
        name=f"hidden cases of {scenario.name}",
        description=f"{scenario.hidden_cases} cases, version {scenario.hidden_version}",
        releaseTime=proof.issued,
        builtTime=proof.issued,
        originatedBy=[_id(proof, _of_organisation(scenario.owner.organisation))],
        software_primaryPurpose="data",
        software_downloadLocation=f"{proof.urn}#hidden-set",
        dataset_datasetType=["noAssertion"],
        dataset_datasetSize=scenario.hidden_cases,
        dataset_confidentialityLevel="red",
    )


def _threshold(rule: str) -> str:
    """Return what a rule compares with, as it is written."""
    place = max(rule.rfind(">="), rule.rfind("<="))
    return rule[place:]


def _element(proof: ProvenCertificate, kind: str, place: str, **fields: Any) -> dict[str, Any]:
    told = {field: value for field, value in fields.items() if value not in ([], "")}
    return {"type": kind, "spdxId": _id(proof, place), "creationInfo": _INFO, **told}


def _entries(found: dict[str, str]) -> list[dict[str, str]]:
    return [{"type": "DictionaryEntry", "key": key, "value": value} for key, value in found.items()]


def _of_organisation(name: str) -> str:
    return f"organisation-{name}"


def _id(proof: ProvenCertificate, place: str) -> str:
    return f"{proof.urn}#{place}"


EXPORT = Export("spdx", text("certificate.export.spdx"), "application/spdx+json", ".spdx.json", _write)
