"""Closed lists of the estate, each with English and Chinese names, and what it adds to those of the core."""

from __future__ import annotations

from pilotbase.documents.vocabularies import Vocabulary

ADDED = {"WorkKind": ("what_if",), "NoticeKind": ("claim",)}


class JobKind(Vocabulary, domain="pool.kind"):
    """Purpose of a request for computing power 用途; names: text ``pool.kind.<value>``."""

    TRIAL = "trial"
    SERVICE = "service"
    DEVELOPMENT = "development"
    """A supplier's own code, boxed, on open or synthetic data."""
    OTHER = "other"


class WaitReason(Vocabulary, domain="pool.wait"):
    """Why a job waits 等待原因, the one thing that has to change first; names: text ``pool.wait.<value>``."""

    PERSON_LIMIT = "person_limit"
    """Its person already holds the maximum per person."""
    ORGANISATION_LIMIT = "organisation_limit"
    BEHIND = "behind"
    """Another job of its organisation comes first."""
    PROMISED = "promised"
    """It must not be evicted, but the free capacity must be returned on request."""
    MAINTENANCE = "maintenance"
    """It could run into a maintenance window."""
    MACHINES = "machines"
    """Machines named in the pool's document do not respond, or have less than it says."""
    RECLAIMING = "reclaiming"
    """Its guarantee is being restored: borrowers use up their minimum time."""
    POOL_FULL = "pool_full"
    FRAGMENTED = "fragmented"
    """Enough is free in total, but not in a place where it could run at once."""
    RESERVED = "reserved"
    """It would delay a job that comes first, or a guarantee that is being restored."""
    TURN = "turn"
    """It is another organisation's turn."""
    WORKER = "worker"
    """Its seat is requested again once the base's worker for it is free."""
