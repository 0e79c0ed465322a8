"""Committing: the digest of all arms is fixed; only then do the later probes run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.hashes import Digest
from pilotbase.trial.perturbed_arms import AnsweredArm, committed_digest
from pilotbase.trial.phases.asking import AnsweredTrial
from pilotbase.trial.phases.opening import TrialContext
from pilotbase.trial.phases.reserving import ReservedTrial
from pilotbase.trial.probes import with_probes
from pilotbase.trial.running import BoxRun
from pilotbase.vault.attempts import commit_answers


@dataclass(frozen=True)
class CommittedAnswers:
    """Committed answers, one per case (an abstention if there is none), and the run."""

    reserved: ReservedTrial
    values: NDArray[Any]
    rows: NDArray[np.int64]
    """The cases that were answered, as they were asked."""
    digest: Digest
    run: BoxRun
    """With the results of all probes."""
    arms: tuple[AnsweredArm, ...]
    """The perturbed arms."""

    @property
    def trial(self) -> TrialContext:
        return self.reserved.trial

    @property
    def count(self) -> int:
        return len(self.rows)


def commit(answered: AnsweredTrial) -> CommittedAnswers:
    """Return the committed answers with the results of the probes.

    Raises:
        RefusedError: the terms of the data hold no more. InvalidProofError: what a probe kept was altered.
    """
    trial, reserved, clean = answered.trial, answered.reserved, answered.clean
    digest = committed_digest((clean, *answered.perturbed))
    commit_answers(trial.lab.vault, reserved.attempt, digest)
    run = with_probes(clean.run, replace(reserved.subject, committed=True))
    return CommittedAnswers(reserved, clean.values, clean.rows, digest, run, answered.perturbed)
