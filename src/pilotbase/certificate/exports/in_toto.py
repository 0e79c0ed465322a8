"""in-toto attestation with the predicate Test Result v0.1: which criteria passed, under which frozen plan.

The predicate has no place for intervals; they stand in the certificate, which ``configuration`` names by its digest.
Source: in-toto attestation framework, spec/predicates/test-result.md.
"""

from __future__ import annotations

from typing import Any

from pilotbase.certificate.envelope import subjects
from pilotbase.certificate.exports import Export, ProvenCertificate
from pilotbase.documents.certificate import STATEMENT_TYPE
from pilotbase.documents.hashes import canonical_json, hex_of
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Outcome, Verdict

PREDICATE = "https://in-toto.io/attestation/test-result/v0.1"


def _write(proof: ProvenCertificate) -> bytes:
    certificate = proof.certificate
    application, environment, *rest = (one.to_json_value() for one in subjects(certificate))
    named = {"name": "certificate", "uri": proof.urn, "digest": {"sha256": hex_of(certificate.serial)}}
    predicate: dict[str, Any] = {
        "result": "PASSED" if certificate.verdict is Verdict.ACCEPT else "FAILED",
        "configuration": [named, *rest],
    }
    for field, outcome in (("passedTests", Outcome.PASS), ("failedTests", Outcome.FAIL)):
        predicate[field] = [one.source for one in proof.criteria if one.outcome is outcome]
    predicate["warnedTests"] = [
        one.source for one in proof.criteria if one.outcome not in (None, Outcome.PASS, Outcome.FAIL)
    ]
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": [application, environment],
        "predicateType": PREDICATE,
        "predicate": predicate,
    }
    return canonical_json(statement) + b"\n"


EXPORT = Export("in-toto", text("certificate.export.in_toto"), "application/vnd.in-toto+json", ".intoto.json", _write)
