"""The upstream of a certified route: boxes of the very application that was verified, started as in its trial."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass

import numpy as np

from pilotbase.catalogue.applications import read_application
from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.service import CertifiedRoute, Service, ServiceTerms
from pilotbase.gateway.upstreams.pool import BoxPool
from pilotbase.gateway.upstreams.seated import SeatedBoxes
from pilotbase.gateway.upstreams.tabular import TabularModel
from pilotbase.protocols.frames import AnswerBatch, FeatureBatch
from pilotbase.protocols.upstream import AnswerStream, UpstreamCall, UpstreamReply
from pilotbase.sandbox.box.settings import LogPolicy
from pilotbase.sandbox.endpoints.calls import CallLog
from pilotbase.sandbox.engines import Worker
from pilotbase.trial.arena.kept_worlds import KeptWorld
from pilotbase.trial.arena.model_door import OpenDoor, open_door
from pilotbase.trial.arena.shelf import shelf_of
from pilotbase.trial.entering import may_leave, require_may_be_asked
from pilotbase.trial.lab import TrialRuntime
from pilotbase.trial.running import BoxTerms, prepare_candidate, start_candidate, start_player, threads_of
from pilotbase.trial.sealed import load_sealed
from pilotbase.worker.providers import OwnWork, Seat

IDLE_SECONDS = 60.0
_LOOK_SECONDS = 0.05


@dataclass(frozen=True)
class Recipe:
    """How the box of a certified application is started."""

    lab: TrialRuntime
    route: CertifiedRoute
    terms: BoxTerms
    may_miss: frozenset[str]
    scenario: Scenario
    world: KeptWorld | None = None
    """The world whose tools and decision rights were certified; None: the application answers cases."""

    @classmethod
    def of(cls, lab: TrialRuntime, route: CertifiedRoute) -> Recipe:
        """Return the recipe by the plan of its trial.

        Raises:
            NotFoundError: the base does not keep that. InvalidProofError: nor, as it was, the world of the plan.
        """
        plan = lab.view.load(route.plan, TrialPlan)
        sealed = load_sealed(lab.view, plan.sealed)
        leaves = may_leave(sealed.scenario)
        terms = BoxTerms(plan.contract, plan.limits, plan.isolation, plan.batch_rows, LogPolicy.ANSWERS, leaves)
        world = None if plan.contract.world is None else shelf_of(lab).kept(plan.contract.world)
        return cls(lab, route, terms, frozenset(sealed.record.may_miss), sealed.scenario, world)

    def work(self, service: Service, part: str) -> OwnWork:
        """Return what takes a seat where a pool seats services: all boxes of this route, as ``part`` of the service."""
        digest = self.route.application.digest
        return OwnWork(
            kind="service",
            subject=f"{service.subject}@{part}",
            organisation=service.organisation,
            memory_bytes=self.terms.limits.memory_bytes,
            threads=lambda: threads_of(self.lab.application_folder(digest)),
            boxes=service.terms.workers,
        )

    def start(self) -> Worker:
        """Return a warm worker, once files and environment have been found to be those that were certified.

        Of an application that acts it plays a single episode.

        Raises:
            InvalidProofError: they are not.
            InputError: they are not here.
            BoxEnded, BoxStartError, RefusedError: as `start_worker`.
        """
        folder = self.lab.application_folder(self.route.application.digest)
        candidate = prepare_candidate(self.lab, read_application(folder))
        if candidate.reference != self.route.application:
            raise InvalidProofError("gateway.not_certified", application=self.route.application.name)
        if self.world is not None:
            return start_player(candidate, self.terms, self.world.world.episode.seconds)
        return start_candidate(candidate, self.terms)

    def open_door(self) -> OpenDoor | None:
        """Return the door of one dialogue, to a model that is there; None: it was certified without one.

        Raises:
            RefusedError: the model may not be asked from here, or there is no key for it.
            PilotbaseError: the file of keys cannot be read; the model is not there.
        """
        terms = self.route.door
        if terms is None:
            return None
        require_may_be_asked(self.scenario, terms)
        return open_door(terms, CallLog(None, b""))


class CertifiedUpstream:
    """Answers with a pool of warm boxes, which is started by the first question, or by `warm`."""

    def __init__(self, recipe: Recipe, terms: ServiceTerms, seat: Seat) -> None:
        self.model = TabularModel(recipe.terms.contract, recipe.may_miss, recipe.route.application.digest)
        self._recipe, self._terms = recipe, terms
        self._pool: BoxPool | None = None
        self._boxes = SeatedBoxes(recipe.start, seat)
        self._asked_at = time.monotonic()

    @property
    def ready(self) -> bool:
        return self._pool is not None and self._pool.running > 0

    @property
    def boxes(self) -> int:
        """How many boxes run."""
        return 0 if self._pool is None else self._pool.running

    @property
    def pending(self) -> int:
        """How many calls are under way or wait."""
        return 0 if self._pool is None else self._pool.pending

    @property
    def is_idle(self) -> bool:
        """Return whether nobody has asked for a while though its boxes hold a seat, which others could have."""
        silent = time.monotonic() - self._asked_at > IDLE_SECONDS
        return silent and not self.pending and self._boxes.has_seat

    async def tend(self) -> None:
        """Give a sign of life for the seat of the boxes, or ask for it; boxes that have lost theirs are ended."""
        if self._pool is not None and not await asyncio.to_thread(self._boxes.tend):
            self._pool.recall()

    def warm(self) -> BoxPool:
        """Have the boxes started and return their pool."""
        self._asked_at = time.monotonic()
        if self._pool is None:
            limits = self._recipe.terms.limits
            self._pool = BoxPool(self._boxes.start, limits, self._terms.workers, self._terms.queue)
        return self._pool

    async def ask(self, question: UpstreamCall) -> UpstreamReply | AnswerStream:
        asked = self.model.read(question)
        answers = await self.warm().predict(_batches(asked.batch, self._recipe.terms.batch_rows))
        return self.model.answer(question, asked, _joined(answers))

    def hand_over(self, question: UpstreamCall) -> UpstreamReply:
        return self.model.hand_over(question, self.model.read(question))

    async def close(self) -> None:
        """Let the calls under way end, as long as any may take, then the boxes."""
        if self._pool is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._terms.timeout_seconds):
                while self._pool.pending:
                    await asyncio.sleep(_LOOK_SECONDS)
        self._boxes.close()
        await asyncio.to_thread(self._pool.close)
        await asyncio.to_thread(self._boxes.leave)


def _batches(batch: FeatureBatch, most_rows: int) -> list[FeatureBatch]:
    """Return ``batch`` in pieces no larger than those of the trial."""
    if batch.rows <= most_rows:
        return [batch]
    starts = range(0, batch.rows, most_rows)
    return [
        FeatureBatch(
            {name: column[start : start + most_rows] for name, column in batch.columns.items()},
            min(most_rows, batch.rows - start),
        )
        for start in starts
    ]


def _joined(answers: list[AnswerBatch]) -> AnswerBatch:
    return answers[0] if len(answers) == 1 else AnswerBatch(np.concatenate([one.values for one in answers]))
