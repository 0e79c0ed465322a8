"""The states in which records stand; how they move from one to the next says `pilotbase.documents.lifecycles`."""

from __future__ import annotations

from enum import StrEnum


class OrganisationState(StrEnum):
    """Where an organisation stands; names: text ``state.organisation.<value>``."""

    REGISTERED = "registered"


class ScenarioState(StrEnum):
    """Where a scenario stands; names: text ``state.scenario.<value>``."""

    DRAFT = "draft"
    REVIEW = "review"
    OPEN = "open"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


class ApplicationState(StrEnum):
    """Where an application stands; names: text ``state.application.<value>``."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    WITHDRAWN = "withdrawn"


class CommissionState(StrEnum):
    """Where a trial stands; names: text ``state.commission.<value>``."""

    PROPOSED = "proposed"
    COUNTERED = "countered"
    AGREED = "agreed"
    PLAN_REVIEW = "plan_review"
    PLAN_APPROVED = "plan_approved"
    FREEZING = "freezing"
    FROZEN = "frozen"
    QUEUED = "queued"
    RUNNING = "running"
    CONSENT = "consent"
    """Held: it would take more than the limit, and whoever pays has not consented yet."""
    REPORTED = "reported"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    RECTIFICATION = "rectification"
    RETEST = "retest"
    SIGNING = "signing"
    CERTIFIED = "certified"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    DECLINED = "declined"
    CANCELLED = "cancelled"


class DatasetState(StrEnum):
    """Where a dataset stands; names: text ``state.dataset.<value>``."""

    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class AgreementState(StrEnum):
    """Where an agreement on a dataset stands; names: text ``state.agreement.<value>``."""

    OFFERED = "offered"
    ASKED = "asked"
    """Somebody whose agreement was revoked takes the published offer up again: its owner has yet to consent."""
    AGREED = "agreed"
    IN_FORCE = "in_force"
    EXPIRED = "expired"
    REVOKED = "revoked"
    """Its owner has ended it."""
    ENDED = "ended"
    """Whoever was offered it, or has agreed, wants it no more."""


RecordState = OrganisationState | ScenarioState | ApplicationState | CommissionState | DatasetState | AgreementState

NEW = "new"
"""The state of what is not there yet."""
PREPARED = (
    CommissionState.AGREED,
    CommissionState.RETEST,
    CommissionState.PLAN_REVIEW,
    CommissionState.PLAN_APPROVED,
)
"""Agreed on, and its plan not frozen yet."""
AT_WORK = (
    CommissionState.FREEZING,
    CommissionState.FROZEN,
    CommissionState.QUEUED,
    CommissionState.RUNNING,
    CommissionState.CONSENT,
)
"""Its plan is frozen, or being frozen, and it has no report yet."""
BARRED = (CommissionState.SUSPENDED, CommissionState.REVOKED)
"""What it was certified for must not answer."""
HOLDS = (AgreementState.AGREED, AgreementState.IN_FORCE)
"""An agreement may be used, from its first day to its last: the clock decides, not who has noted it down."""
SCENARIO_OVER = (ScenarioState.CLOSED, ScenarioState.WITHDRAWN)
TRIAL_OVER = (CommissionState.DECLINED, CommissionState.CANCELLED, CommissionState.REVOKED)
"""Ended without what it was for."""
