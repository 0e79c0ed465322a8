"""Trial plan 测试方案: what is measured and what counts as pass, frozen by hash before the first run."""

from __future__ import annotations

from typing import Literal

import pydantic

from pilotbase.documents.base import Document, Moment, Name, Part
from pilotbase.documents.contract import Contract
from pilotbase.documents.hashes import Digest
from pilotbase.documents.limits import IsolationLevel, Limits
from pilotbase.documents.scenario import Contact, Criterion


class ApplicationReference(Part):
    """The application version that a plan, report or certificate speaks of."""

    name: Name
    version: str
    supplier: Contact
    digest: Digest
    """Content digest of the whole folder."""
    environment: Digest
    """Content digest of the installed requirements."""


class ScenarioReference(Part):
    """The scenario version that a plan, report or certificate speaks of."""

    name: Name
    owner: Contact
    digest: Digest
    public_sample: Digest
    hidden_set: Digest
    """Digest of the sealed hidden set's record in the vault."""
    hidden_cases: int = pydantic.Field(ge=1)


class TrialPlan(Document):
    """A frozen plan; a changed plan is a new plan with a new digest.

    The order in which answers are scored is ``SHA-256(secret ‖ nonce)``: the base commits to ``secret`` by its hash
    here, the supplier gives ``nonce``, and the secret is opened only after all answers are committed.
    """

    document: Literal["trial-plan/1"] = "trial-plan/1"
    scenario: ScenarioReference
    application: ApplicationReference
    sealed: Digest
    """The base's record of the sealed data: public sample, hidden set, classes, reference application."""
    contract: Contract
    positive: str | None = None
    decision_threshold: float = 0.5
    criteria: tuple[Criterion, ...] = pydantic.Field(min_length=1, max_length=100)
    cases: int = pydantic.Field(ge=1)
    """Fresh hidden cases that one attempt answers."""
    attempts: int = pydantic.Field(ge=1)
    isolation: IsolationLevel
    limits: Limits
    batch_rows: int = pydantic.Field(ge=1)
    order_commitment: Digest
    nonce: str = pydantic.Field(pattern=r"^[0-9a-f]{32}$")
    frozen_at: Moment
    software: str
    """Name and version of the software that froze the plan."""
