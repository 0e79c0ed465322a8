"""Compute job 算力作业: what somebody requests from a pool, and for how long at most."""

from __future__ import annotations

from typing import Annotated, Literal

import pydantic
from pydantic import StringConstraints

from pilotbase.documents.base import Document, Moment, Name
from pilotbase.documents.quantities import Duration
from pilotbase_estate.documents.pool import Labels
from pilotbase_estate.documents.resources import Demand, Vector, plus
from pilotbase_estate.documents.vocabularies import JobKind

MOST_MEMBERS = 10_000


class ComputeJob(Document, published=True):
    """One job. All its members start together, or none does."""

    document: Literal["compute_job/1"] = "compute_job/1"
    name: Name
    """Names the job in its pool."""
    pool: Name
    organisation: Name
    """Whose quota it uses."""
    person: Annotated[str, StringConstraints(min_length=1, max_length=120)]
    kind: JobKind = JobKind.OTHER
    demand: Demand
    """What each member requests."""
    members: int = pydantic.Field(default=1, ge=1, le=MOST_MEMBERS)
    """Size of the gang."""
    labels: Labels = pydantic.Field(default={})
    """Labels that a machine must carry."""
    priority: int = pydantic.Field(default=0, ge=-100, le=100)
    """Higher goes first, among the jobs of its organisation only."""
    max_seconds: Duration = pydantic.Field(gt=0)
    """After this time it is ended."""
    preemptible: bool = True
    """Whether it may be evicted and start again; a job that may not is never run on borrowed resources."""
    submitted: Moment

    @property
    def total(self) -> Vector:
        """What all its members request together."""
        return plus({}, self.demand.vector, self.members)
