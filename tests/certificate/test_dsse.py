"""The envelope is DSSE and the statement in-toto, checked by hand without our own reader."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from pilotbase.certificate.envelope import pre_authentication_encoding
from pilotbase.certificate.trust import TrustFolder
from pilotbase.certificate.verification import verify_certificate
from pilotbase.documents.plan import TrialPlan

NOW = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)


def pae(kind: str, body: bytes) -> bytes:
    return b" ".join([b"DSSEv1", str(len(kind)).encode(), kind.encode(), str(len(body)).encode(), body])


def test_pre_authentication_encoding_is_the_specification_s_example() -> None:
    found = pre_authentication_encoding("http://example.com/HelloWorld", b"hello world")
    assert found == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert pre_authentication_encoding("类", b"") == b"DSSEv1 3 \xe7\xb1\xbb 0 ", "lengths count bytes"


def test_signatures_hold_by_hand_from_root_to_certificate(
    shared_trust: TrustFolder, sign: Callable[..., bytes]
) -> None:
    envelope = json.loads(sign(shared_trust))
    root = json.loads(shared_trust.roots().canonical())["roots"][0]["key"]["value"]
    delegation = checked(envelope["chain"][0], root)
    assert delegation["role"] == "signing"
    statement = checked(envelope, delegation["key"]["value"])
    key = base64.b64decode(delegation["key"]["value"])
    assert envelope["signatures"][0]["keyid"] == f"sha256:{hashlib.sha256(key).hexdigest()}"
    assert statement["predicate"]["verdict"] == "accept"


def checked(envelope: dict[str, object], key: str) -> dict[str, object]:
    body = base64.b64decode(str(envelope["payload"]))
    signatures = envelope["signatures"]
    assert isinstance(signatures, list)
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key))
    public.verify(base64.b64decode(signatures[0]["sig"]), pae(str(envelope["payloadType"]), body))
    found = json.loads(body)
    assert isinstance(found, dict)
    return found


def test_statement_names_every_artefact_by_digest(
    shared_trust: TrustFolder, sign: Callable[..., bytes], plan: TrialPlan
) -> None:
    envelope = json.loads(sign(shared_trust))
    assert envelope["payloadType"] == "application/vnd.in-toto+json"
    statement = json.loads(base64.b64decode(envelope["payload"]))
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "urn:pilotbase:certificate:1"
    named = {subject["name"].partition(":")[0]: subject["digest"] for subject in statement["subject"]}
    expected = {
        "application": plan.application.digest,
        "environment": plan.application.environment,
        "plan": plan.digest(),
        "scenario": plan.scenario.digest,
        "report": statement["predicate"]["serial"],
    }
    assert named == {name: {"sha256": digest.removeprefix("sha256:")} for name, digest in expected.items()}


def test_url_safe_base64_and_unknown_members_are_read(shared_trust: TrustFolder, sign: Callable[..., bytes]) -> None:
    envelope = json.loads(sign(shared_trust))
    signature = envelope["signatures"][0]
    signature["sig"] = signature["sig"].replace("+", "-").replace("/", "_")
    envelope["comment"] = "consumers must ignore what they do not know"
    assert verify_certificate(json.dumps(envelope).encode(), shared_trust.roots(), at=NOW)
