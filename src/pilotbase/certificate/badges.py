"""Open Badges 3.0: what a person has shown, as a credential that anyone's software verifies.

A badge is a projection of a certificate that accepts (the person's application passed the scenario, by the same trial
as any other), or of a course that the person has passed. It is a W3C Verifiable Credential 2.0, secured as a JWT
(RFC 7519, EdDSA). Its claims stand at the top level, as VC-JOSE-COSE asks, and under ``vc``, as VC 1.1 readers ask.

The issuer is the hub's ``did:web``, whose document lists the signing keys that stand: a badge outlives a rotation of
the key, and ends when the key that signed it is revoked. Without https there is no ``did:web``: the issuer is the
``did:key`` of the signing key, and the badge names no status list.
"""

from __future__ import annotations

import gzip
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from pilotbase.certificate.trust import TrustFolder
from pilotbase.documents.certificate import Certificate
from pilotbase.documents.hashes import abbreviated, canonical_json, hex_of
from pilotbase.documents.moments import format_for_machines
from pilotbase.documents.texts import Language, text

STATUS_LIFE = timedelta(days=1)
Purpose = Literal["revocation", "suspension"]
"""One list each: a list of single bits cannot say which of the two a bit means."""
_CREDENTIALS = "https://www.w3.org/ns/credentials/v2"
_BADGES = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
_ED25519 = b"\xed\x01"
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_SMALLEST = 1 << 17
"""Bits of a list at least (Bitstring Status List 1.0, 3.3), so that an entry is one among many."""


@dataclass(frozen=True)
class BadgeTerms:
    """Whom a badge is for, and where its proof and status stand."""

    recipient: str
    """The e-mail address of the person."""
    title: str
    """The title of the scenario."""
    url: str
    """The public address of the hub; empty: there is none."""
    number: int
    """The place of its certificate or award in the log, which is its place in the status lists."""
    language: Language = "en"


@dataclass(frozen=True)
class Achievement:
    """What a badge is for."""

    badge: str
    """Names this badge among all of the base, such as ``badge:7f3a…``."""
    achievement: str
    """Names what everybody with such a badge has achieved, such as ``course:milling:1``."""
    description: str
    criteria: str
    page: str
    """Where the evidence stands, below the address of the hub."""
    page_name: str
    expires_at: datetime
    skills: Sequence[tuple[str, str, str, str]] = ()
    """Name, framework, code and address of each."""
    results: Sequence[tuple[str, str, str]] = ()
    """Rule, what was reached, and the lower bound of it."""


def sign_badge(certificate: Certificate, terms: BadgeTerms, trust: TrustFolder, now: datetime) -> str:
    """Return the badge for a ``certificate`` that accepts, as a compact JWT; it ends with the certificate."""
    achievement = Achievement(
        badge=f"badge:{hex_of(certificate.serial)}",
        achievement=f"scenario:{hex_of(certificate.scenario.digest)}",
        description=text("certificate.badge.description", scenario=terms.title).render(terms.language),
        criteria=certificate.claim.render(terms.language),
        page=f"certificates/{hex_of(certificate.serial)}/",
        page_name=abbreviated(certificate.serial),
        expires_at=certificate.expires_at,
    )
    return sign_achievement(achievement, terms, trust, now)


def sign_achievement(achieved: Achievement, terms: BadgeTerms, trust: TrustFolder, now: datetime) -> str:
    """Return the badge for an achievement as a compact JWT."""
    credential = _credential(achieved, terms, trust, now)
    return _signed(issuer_of(trust, terms.url), credential, trust, now, achieved.expires_at)


def sign_status(purpose: str, numbers: Iterable[int], length: int, url: str, trust: TrustFolder, now: datetime) -> str:
    """Return the status list of one ``purpose`` as a compact JWT: the bits of ``numbers`` are set. It lasts a day.

    ``length``: entries of the log; every number is below it.
    """
    until = now + STATUS_LIFE
    address = status_address(url, purpose)
    subject = {
        "id": f"{address}#list",
        "type": "BitstringStatusList",
        "statusPurpose": purpose,
        "encodedList": _bits(numbers, length),
    }
    credential = {
        "@context": [_CREDENTIALS],
        "id": address,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": issuer_of(trust, url),
        "validFrom": format_for_machines(now),
        "validUntil": format_for_machines(until),
        "credentialSubject": subject,
    }
    return _signed(issuer_of(trust, url), credential, trust, now, until)


def status_address(url: str, purpose: str) -> str:
    """Return where a status list stands."""
    return f"{url}/certificates/badges/{purpose}.jwt"


def did_document(trust: TrustFolder, url: str) -> dict[str, Any] | None:
    """Return the document of the hub's ``did:web`` (did:web method, 2.5.2) with its signing keys; None: not https."""
    did = issuer_of(trust, url)
    if not did.startswith("did:web:"):
        return None
    keys = [_multibase(key.load()) for key in (trust.public_key(), *trust.state.retired)]
    methods = [{"id": f"{did}#{key}", "type": "Multikey", "controller": did, "publicKeyMultibase": key} for key in keys]
    return {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": did,
        "verificationMethod": methods,
        "assertionMethod": [one["id"] for one in methods],
    }


def issuer_of(trust: TrustFolder, url: str) -> str:
    """Return the identifier under which the base issues badges at the hub ``url``."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return f"did:web:{parts.netloc.replace(':', '%3A')}"
    return f"did:key:{_multibase(trust.public_key().load())}"


def _multibase(key: Ed25519PublicKey) -> str:
    """Return a key as Multikey spells it: multicodec 0xed, base58btc."""
    rest, digits = int.from_bytes(_ED25519 + key.public_bytes_raw()), ""
    while rest:
        rest, digit = divmod(rest, len(_BASE58))
        digits = _BASE58[digit] + digits
    return f"z{digits}"


def _credential(achieved: Achievement, terms: BadgeTerms, trust: TrustFolder, now: datetime) -> dict[str, Any]:
    did = issuer_of(trust, terms.url)
    issuer = {"id": did, "type": ["Profile"], "name": trust.issuer}
    subject: dict[str, Any] = {
        "id": f"mailto:{terms.recipient}",
        "type": ["AchievementSubject"],
        "achievement": _achievement(achieved, terms),
    }
    if achieved.results:
        subject["result"] = [
            {"type": ["Result"], "resultDescription": _rule_id(achieved, number), "value": f"{value} (≥ {lower})"}
            for number, (_, value, lower) in enumerate(achieved.results, start=1)
        ]
    credential: dict[str, Any] = {
        "@context": [_CREDENTIALS, _BADGES],
        "id": f"urn:pilotbase:{achieved.badge}",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": terms.title,
        "issuer": issuer | ({"url": terms.url} if terms.url else {}),
        "validFrom": format_for_machines(now),
        "validUntil": format_for_machines(achieved.expires_at),
        "credentialSubject": subject,
    }
    if terms.url:
        page = f"{terms.url}/{achieved.page}"
        credential["evidence"] = [{"id": page, "type": ["Evidence"], "name": achieved.page_name}]
    if did.startswith("did:web:"):
        credential["credentialStatus"] = [_status(purpose, terms) for purpose in get_args(Purpose)]
    return credential


def _achievement(achieved: Achievement, terms: BadgeTerms) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": f"urn:pilotbase:{achieved.achievement}",
        "type": ["Achievement"],
        "name": terms.title,
        "description": achieved.description,
        "criteria": {"narrative": achieved.criteria},
        "inLanguage": terms.language,
    }
    if achieved.skills:
        told["alignment"] = [
            {
                "type": ["Alignment"],
                "targetName": name,
                "targetFramework": framework,
                "targetCode": code,
                "targetUrl": url,
            }
            for name, framework, code, url in achieved.skills
        ]
    if achieved.results:
        told["resultDescription"] = [
            {"id": _rule_id(achieved, number), "type": ["ResultDescription"], "name": rule, "resultType": "Result"}
            for number, (rule, *_) in enumerate(achieved.results, start=1)
        ]
    return told


def _rule_id(achieved: Achievement, number: int) -> str:
    return f"urn:pilotbase:{achieved.achievement}:rule:{number}"


def _status(purpose: str, terms: BadgeTerms) -> dict[str, str]:
    address = status_address(terms.url, purpose)
    return {
        "id": f"{address}#{terms.number}",
        "type": "BitstringStatusListEntry",
        "statusPurpose": purpose,
        "statusListIndex": str(terms.number),
        "statusListCredential": address,
    }


def _bits(numbers: Iterable[int], length: int) -> str:
    """Return a bit string, its first bit leftmost, compressed, in multibase (Bitstring Status List 1.0, 3.1)."""
    bits = bytearray(max(_SMALLEST, 1 << length.bit_length()) // 8)
    for number in numbers:
        bits[number // 8] |= 0x80 >> number % 8
    return "u" + _base64(gzip.compress(bytes(bits), mtime=0))


def _signed(issuer: str, credential: dict[str, Any], trust: TrustFolder, now: datetime, until: datetime) -> str:
    key = trust.signing_key()
    header = {"alg": "EdDSA", "typ": "JWT", "kid": f"{issuer}#{_multibase(key.public_key())}"}
    times = {"iat": int(now.timestamp()), "nbf": int(now.timestamp()), "exp": int(until.timestamp())}
    claims = {**credential, "iss": issuer, "sub": credential["credentialSubject"]["id"], "jti": credential["id"]}
    signed = f"{_base64(canonical_json(header))}.{_base64(canonical_json({**claims, **times, 'vc': credential}))}"
    return f"{signed}.{_base64(key.sign(signed.encode()))}"


def _base64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
