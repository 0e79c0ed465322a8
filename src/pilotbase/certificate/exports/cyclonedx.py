"""CycloneDX 1.6 ML-BOM: a model card with figures and limits, and each criterion as a requirement with its evidence.

Source: ECMA-424, first edition (bom-1.6.schema.json): ``modelCard``, ``definitions``, ``declarations``.
"""

from __future__ import annotations

from typing import Any
from uuid import NAMESPACE_URL, uuid5

from pilotbase.certificate.exports import CertifiedCriterion, Export, ProvenCertificate
from pilotbase.documents.hashes import canonical_json, hex_of
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Outcome

_SCORES = {Outcome.PASS: 1, Outcome.FAIL: 0}
"""Conformance to a criterion; one that is undecided has none."""
_CONFIDENT = ("exact_anytime", "exact_fixed", "asymptotic")
"""Guarantees with an error probability; a census and what was measured on one run have none."""


def _write(proof: ProvenCertificate) -> bytes:
    certificate = proof.certificate
    bom = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, proof.urn)}",
        "version": 1,
        "metadata": {"timestamp": proof.issued, "component": _model(proof)},
        "components": [_hidden_set(proof)],
        "externalReferences": [
            {"type": "certification-report", "url": proof.urn, "hashes": _hashes(certificate.serial)}
        ],
        "definitions": {"standards": [_standard(proof)]},
        "declarations": _declarations(proof),
    }
    return canonical_json(bom) + b"\n"


def _model(proof: ProvenCertificate) -> dict[str, Any]:
    application = proof.certificate.application
    return {
        "type": "machine-learning-model",
        "bom-ref": "application",
        "name": application.name,
        "version": application.version,
        "supplier": {"name": application.supplier.organisation},
        "hashes": _hashes(application.digest),
        "modelCard": {
            "modelParameters": {"datasets": [{"ref": "hidden-set"}]},
            "quantitativeAnalysis": {"performanceMetrics": [_metric(one) for one in proof.criteria if one.result]},
            "considerations": {"technicalLimitations": proof.limits},
        },
    }


def _metric(one: CertifiedCriterion) -> dict[str, Any]:
    """Return the figure of a criterion; its interval has the criterion's own confidence, which its claim states."""
    estimate = None if one.result is None else one.result.estimate
    metric: dict[str, Any] = {"type": one.rule.key, "value": "not measured" if estimate is None else f"{estimate:.10g}"}
    if one.bounds:
        metric["confidenceInterval"] = {f"{name}Bound": f"{end:.10g}" for name, end in one.bounds.items()}
    return metric


def _hidden_set(proof: ProvenCertificate) -> dict[str, Any]:
    scenario = proof.certificate.scenario
    return {
        "type": "data",
        "bom-ref": "hidden-set",
        "name": f"hidden cases of {scenario.name}",
        "version": str(scenario.hidden_version),
        "supplier": {"name": scenario.owner.organisation},
        "data": [{"type": "dataset", "classification": "hidden", "description": f"{scenario.hidden_cases} cases"}],
    }


def _standard(proof: ProvenCertificate) -> dict[str, Any]:
    """Return the frozen plan, whose requirements are its criteria."""
    requirements = [
        {"bom-ref": f"criterion-{number}", "identifier": str(number), "text": one.source}
        for number, one in enumerate(proof.criteria, 1)
    ]
    plan = {"name": "plan of the trial", "version": proof.certificate.plan, "owner": proof.certificate.issuer}
    return {"bom-ref": "plan", **plan, "requirements": requirements}


def _declarations(proof: ProvenCertificate) -> dict[str, Any]:
    certificate = proof.certificate
    assessor = {"bom-ref": "base", "thirdParty": True, "organization": {"name": certificate.issuer}}
    evidence = {"bom-ref": "report", "propertyName": "report", "description": certificate.report}
    claim = {"bom-ref": "claim", "target": "application", "predicate": proof.claim, "evidence": ["report"]}
    found = [_requirement(number, one) for number, one in enumerate(proof.criteria, 1)]
    summary = certificate.verdict_in_words.render("en")
    return {
        "assessors": [assessor],
        "attestations": [{"summary": summary, "assessor": "base", "map": found}],
        "claims": [claim],
        "evidence": [evidence],
    }


def _requirement(number: int, one: CertifiedCriterion) -> dict[str, Any]:
    found: dict[str, Any] = {"requirement": f"criterion-{number}", "claims": ["claim"]}
    if one.outcome in _SCORES:
        found["conformance"] = {"score": _SCORES[one.outcome]}
    if one.result is not None and one.result.guarantee in _CONFIDENT:
        found["confidence"] = {"score": one.result.confidence, "rationale": one.result.claim.render("en")}
    return found


def _hashes(digest: str) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": hex_of(digest)}]


EXPORT = Export(
    "cyclonedx", text("certificate.export.cyclonedx"), "application/vnd.cyclonedx+json", ".cdx.json", _write
)
