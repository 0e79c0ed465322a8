"""The in-toto statement: the artefacts, by digest, that the certificate covers.

Source: in-toto attestation framework, Statement v1 (``spec/v1/statement.md``) and ResourceDescriptor; payload type as
named by the envelope layer of that specification.
"""

from __future__ import annotations

import pydantic

from pilotbase.certificate.bounded_json import CERTIFICATE, parse_model
from pilotbase.documents.base import Part
from pilotbase.documents.certificate import PREDICATE_TYPE, STATEMENT_TYPE, Certificate
from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.hashes import canonical_json

PAYLOAD_TYPE = "application/vnd.in-toto+json"


class Subject(Part):
    """One artefact and its digests, by algorithm, in lower-case hex."""

    name: str
    digest: dict[str, str]


class Statement(Part):
    """Statement v1 with a certificate as its predicate."""

    type: str = pydantic.Field(alias="_type")
    subject: tuple[Subject, ...]
    predicate_type: str = pydantic.Field(alias="predicateType")
    predicate: Certificate


def write_statement(certificate: Certificate) -> bytes:
    """Return the statement over ``certificate`` as canonical JSON."""
    statement = Statement(
        type=STATEMENT_TYPE,
        subject=subjects(certificate),
        predicate_type=PREDICATE_TYPE,
        predicate=certificate,
    )
    return canonical_json(statement.to_json_value())


def read_statement(payload: bytes) -> Certificate:
    """Return the certificate in ``payload``.

    Raises:
        InvalidProofError: not a statement v1, another predicate, or subjects that aren't those of the certificate.
    """
    statement = parse_model(Statement, payload, CERTIFICATE)
    if (statement.type, statement.predicate_type) != (STATEMENT_TYPE, PREDICATE_TYPE):
        raise InvalidProofError("certificate.other_statement", found=statement.predicate_type)
    if statement.subject != subjects(statement.predicate):
        raise InvalidProofError("certificate.subjects_differ")
    return statement.predicate


def subjects(certificate: Certificate) -> tuple[Subject, ...]:
    """Return application folder, environment, plan, scenario and report, by digest."""
    application, scenario = certificate.application, certificate.scenario
    named = {
        f"application:{application.name}@{application.version}": application.digest,
        f"environment:{application.name}@{application.version}": application.environment,
        "plan": certificate.plan,
        f"scenario:{scenario.name}": scenario.digest,
        "report": certificate.report,
    }
    return tuple(Subject(name=name, digest=dict([digest.split(":", 1)])) for name, digest in named.items())
