"""The states of records; `pilotbase.documents.lifecycles` defines how they change."""

from __future__ import annotations

from enum import StrEnum


class OrganisationState(StrEnum):
    """States of an organisation; names: text ``state.organisation.<value>``."""

    REGISTERED = "registered"


class ScenarioState(StrEnum):
    """States of a scenario; names: text ``state.scenario.<value>``."""

    DRAFT = "draft"
    REVIEW = "review"
    OPEN = "open"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


class DemandState(StrEnum):
    """States of a demand in words; names: text ``state.demand.<value>``."""

    OPEN = "open"
    TAKEN_UP = "taken_up"
    """A scenario was made of it."""
    JOINING = "joining"
    """Its owner asks to join the demand of another, as a further site."""
    JOINED = "joined"
    """It is a site of the other's demand, and counts there."""
    WITHDRAWN = "withdrawn"


class ApplicationState(StrEnum):
    """States of an application; names: text ``state.application.<value>``."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    WITHDRAWN = "withdrawn"


class CommissionState(StrEnum):
    """States of a trial; names: text ``state.commission.<value>``."""

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
    """Held: it would exceed the limit, and the payer has not consented yet."""
    JUDGING = "judging"
    """Its answers are committed, and experts judge them."""
    REPORTED = "reported"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    RECTIFICATION = "rectification"
    RETEST = "retest"
    SIGNING = "signing"
    CERTIFIED = "certified"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    """By the clock, in lists and on pages: no step leads there, and its record says certified or suspended."""
    REVOKED = "revoked"
    DECLINED = "declined"
    CANCELLED = "cancelled"


class DatasetState(StrEnum):
    """States of a dataset; names: text ``state.dataset.<value>``."""

    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class AgreementState(StrEnum):
    """States of an agreement on a dataset; names: text ``state.agreement.<value>``."""

    OFFERED = "offered"
    ASKED = "asked"
    """An assignee whose agreement was revoked asks for the published offer again: the owner must still consent."""
    AGREED = "agreed"
    IN_FORCE = "in_force"
    EXPIRED = "expired"
    REVOKED = "revoked"
    """The owner has ended it."""
    ENDED = "ended"
    """The assignee has declined or ended it."""


RecordState = (
    OrganisationState | DemandState | ScenarioState | ApplicationState | CommissionState | DatasetState | AgreementState
)

NEW = "new"
"""The state of what does not exist yet."""
PREPARED = (
    CommissionState.AGREED,
    CommissionState.RETEST,
    CommissionState.PLAN_REVIEW,
    CommissionState.PLAN_APPROVED,
)
"""Agreed, but its plan is not frozen yet."""
AT_WORK = (
    CommissionState.FREEZING,
    CommissionState.FROZEN,
    CommissionState.QUEUED,
    CommissionState.RUNNING,
    CommissionState.CONSENT,
    CommissionState.JUDGING,
)
"""Its plan is frozen or being frozen, and it has no report yet."""
UNTIL_EXPIRY = (CommissionState.CERTIFIED, CommissionState.SUSPENDED)
"""Its certificate ends by the clock, unless it is revoked before."""
BARRED = (CommissionState.SUSPENDED, CommissionState.REVOKED)
"""The certified version must not answer."""
HOLDS = (AgreementState.AGREED, AgreementState.IN_FORCE)
"""The agreement may be used, from its first day to its last: the clock decides, not when the state was recorded."""
SCENARIO_OVER = (ScenarioState.CLOSED, ScenarioState.WITHDRAWN)
TRIAL_OVER = (CommissionState.DECLINED, CommissionState.CANCELLED, CommissionState.REVOKED)
"""Ended without a result."""
