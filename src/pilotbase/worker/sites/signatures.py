"""Signatures on what travels: DSSE envelopes by the signing key of a base or a site, with the chain from its root."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from pilotbase.certificate import Envelope, TrustFolder, TrustRoots
from pilotbase.certificate.bounded_json import parse_model
from pilotbase.certificate.envelope import seal
from pilotbase.certificate.roots import TrustedKey, follow_chain
from pilotbase.documents.base import Document
from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.texts import Text, text
from pilotbase.worker.sites.papers import SiteEnrolment, SitePack, SiteReport

Paper = TypeVar("Paper", SiteEnrolment, SitePack, SiteReport)
_PREFIX = "application/vnd.pilotbase."


def sign(paper: Document, trust: TrustFolder) -> Envelope:
    """Return ``paper`` signed; raises as `TrustFolder.signing_key`."""
    return seal(_type_of(type(paper)), paper.canonical(), trust.signing_key(), trust.chain)


def read_envelope(model: type[Document], data: bytes) -> Envelope:
    """Return the envelope in ``data``; nothing of what it holds is read.

    Raises:
        InvalidProofError: it is malformed, or holds another kind of document than ``model``.
    """
    envelope = parse_model(Envelope, data, named(model))
    if envelope.payload_type != _type_of(model):
        raise InvalidProofError("certificate.other_payload", what=named(model), found=envelope.payload_type)
    return envelope


def read_paper(model: type[Paper], envelope: Envelope) -> Paper:
    """Return what an envelope holds; raises `InvalidProofError` where that is no ``model``."""
    return parse_model(model, envelope.content(), named(model))


def signer_of(envelope: Envelope, roots: TrustRoots, issuer: str, at: datetime) -> TrustedKey | None:
    """Return the key of ``issuer`` that signed, under ``roots`` and within its time ``at``, or None."""
    trusted = (holder for holder in follow_chain(roots, envelope.chain) if holder.role == "signing")
    entitled = (holder for holder in trusted if holder.issuer == issuer and holder.covers(at, at))
    return next((holder for holder in entitled if envelope.signed_by([holder.key])), None)


def named(model: type[Document]) -> Text:
    """Return what a kind of paper is called in a sentence."""
    return text(f"site.paper.{_kind_of(model).replace('-', '_')}")


def _type_of(model: type[Document]) -> str:
    return f"{_PREFIX}{_kind_of(model)}+json"


def _kind_of(model: type[Document]) -> str:
    return str(model.model_fields["document"].default).partition("/")[0]
