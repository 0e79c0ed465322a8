"""DSSE envelopes (a payload, its type, Ed25519 signatures over both), and the in-toto statement in a certificate's."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Annotated, Literal, Self

import pydantic
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from pilotbase.certificate.bounded_json import CERTIFICATE, parse_model
from pilotbase.documents.base import Part
from pilotbase.documents.certificate import PREDICATE_TYPE, STATEMENT_TYPE, Certificate
from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.hashes import canonical_json, digest_bytes

KEY_BYTES = 32
_STANDARD_ALPHABET = str.maketrans("-_", "+/")
_MAXIMUM_SIGNATURES = 8
_MAXIMUM_CHAIN = 16


class PublicKey(Part):
    """An Ed25519 public key (RFC 8032), its 32 bytes in base64."""

    algorithm: Literal["ed25519"] = "ed25519"
    value: str

    @pydantic.field_validator("value")
    @classmethod
    def _is_a_key(cls, value: str) -> str:
        if len(base64.b64decode(value, validate=True)) != KEY_BYTES:
            raise ValueError(f"an Ed25519 key has {KEY_BYTES} bytes")
        return value

    @classmethod
    def of(cls, key: Ed25519PublicKey) -> Self:
        return cls(value=base64.b64encode(key.public_bytes_raw()).decode("ascii"))

    @property
    def key_id(self) -> str:
        """Return ``sha256:<hex>`` of the key's bytes."""
        return digest_bytes(base64.b64decode(self.value))

    def load(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(self.value))


def _check_base64(encoded: str) -> str:
    decode_base64(encoded)
    return encoded


Base64 = Annotated[str, pydantic.AfterValidator(_check_base64)]


class Signature(pydantic.BaseModel):
    """One signature; ``keyid`` is only a hint and never trusted."""

    model_config = pydantic.ConfigDict(frozen=True, extra="ignore")

    keyid: str = pydantic.Field(default="", max_length=200)
    sig: Base64


class Envelope(pydantic.BaseModel):
    """A DSSE envelope in its JSON form."""

    model_config = pydantic.ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    payload: Base64
    payload_type: str = pydantic.Field(alias="payloadType", min_length=1, max_length=200)
    signatures: tuple[Signature, ...] = pydantic.Field(min_length=1, max_length=_MAXIMUM_SIGNATURES)
    chain: tuple[Envelope, ...] = pydantic.Field(default=(), max_length=_MAXIMUM_CHAIN)

    def content(self) -> bytes:
        return decode_base64(self.payload)

    def signed_by(self, keys: Iterable[PublicKey]) -> PublicKey | None:
        """Return the first of ``keys`` that made one of the signatures, or None."""
        message = pre_authentication_encoding(self.payload_type, self.content())
        signatures = [decode_base64(signature.sig) for signature in self.signatures]
        return next((key for key in keys if any(_verifies(key, one, message) for one in signatures)), None)

    def to_bytes(self) -> bytes:
        """Return the envelope as one line of canonical JSON."""
        return canonical_json(self.model_dump(mode="json", by_alias=True, exclude_defaults=True)) + b"\n"


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """Return PAE(type, body) = "DSSEv1" SP LEN(type) SP type SP LEN(body) SP body, lengths in bytes as decimals."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def seal(payload_type: str, payload: bytes, key: Ed25519PrivateKey, chain: tuple[Envelope, ...] = ()) -> Envelope:
    """Return ``payload`` in an envelope signed by ``key``."""
    signature = key.sign(pre_authentication_encoding(payload_type, payload))
    signer = PublicKey.of(key.public_key())
    return Envelope(
        payload=_encode(payload),
        payload_type=payload_type,
        signatures=(Signature(keyid=signer.key_id, sig=_encode(signature)),),
        chain=chain,
    )


def decode_base64(encoded: str) -> bytes:
    """Decode ``encoded`` (standard or URL-safe alphabet, padded); raises `ValueError`."""
    return base64.b64decode(encoded.translate(_STANDARD_ALPHABET), validate=True)


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _verifies(key: PublicKey, signature: bytes, message: bytes) -> bool:
    try:
        key.load().verify(signature, message)
    except InvalidSignature:
        return False
    return True


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
