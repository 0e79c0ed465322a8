"""The figures of a course: how full the pool was, who had what of it, how long they waited, what was unusable."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from pilotbase_estate.documents.pool_replay import FragmentPoint, OrganisationReplay, Policy, PolicyReplay, WaitFigures
from pilotbase_estate.documents.resources import Vector, dominant_share, total
from pilotbase_estate.replay.simulating import Course, Moment, Ran

STRETCHES = 240
"""Intervals of the period of submissions, for the picture of use."""


def policy_replay(policy: Policy, course: Course, dimension: str) -> PolicyReplay:
    """Return the figures of a course, with use over time given for ``dimension``."""
    capacity, first = merged_gpus(course.capacity), course.ran[0].job.submitted
    stretches = _stretches(course)
    shares = _mean_shares(stretches, capacity)
    looked = [share for _, share in course.fragments]
    names = sorted({ran.job.organisation for ran in course.ran})
    waits = {name: _waits([ran for ran in course.ran if ran.job.organisation == name]) for name in names}
    return PolicyReplay(
        policy=policy,
        utilisation=_utilisation(stretches, capacity),
        jain=jain_index(list(shares.values())),
        organisations=tuple(
            OrganisationReplay(organisation=name, share=shares.get(name, 0.0), waits=one) for name, one in waits.items()
        ),
        waits=_waits(course.ran),
        fragmentation=float(np.mean(looked)) if looked else None,
        evictions=sum(ran.evictions for ran in course.ran),
        lost_seconds=sum(ran.lost for ran in course.ran),
        impossible=sum(ran.impossible for ran in course.ran),
        unfinished=sum(ran.ended is None and not ran.impossible for ran in course.ran),
        used=used_over_time(course, dimension, STRETCHES),
        fragments=tuple(FragmentPoint(at=at - first, share=share) for at, share in course.fragments),
    )


def used_over_time(course: Course, dimension: str, parts: int) -> tuple[float, ...]:
    """Return the share of a dimension held in each of ``parts`` equal intervals of the period of submissions.

    ``gpu`` is all kinds together; empty if all jobs came at once.
    """
    whole = merged_gpus(course.capacity).get(dimension, 0)
    first, last = course.ran[0].job.submitted, course.ran[-1].job.submitted
    if not whole or last <= first:
        return ()
    width, found = (last - first) / parts, [0.0] * parts
    for seconds, moment in _stretches(course):
        amount = merged_gpus(total(moment.held.values())).get(dimension, 0)
        begins, ends = moment.at - first, moment.at - first + seconds
        for part in range(int(begins / width), min(int(ends / width) + 1, parts)):
            overlap = min(ends, (part + 1) * width) - max(begins, part * width)
            found[part] += max(overlap, 0.0) * amount
    return tuple(held / (width * whole) for held in found)


def jain_index(shares: Sequence[float]) -> float:
    """Return (Σx)² / (n·Σx²): 1 if all are equal, 1/n if one has all; 1 if there is nothing to share.

    Source: Jain, Chiu and Hawe, DEC-TR-301, 1984.
    """
    squares = sum(share * share for share in shares)
    return sum(shares) ** 2 / (len(shares) * squares) if squares > 0 else 1.0


def merged_gpus(vector: Vector, called: str = "gpu") -> dict[str, int]:
    """Return a vector with GPUs of all kinds as one dimension, because a job that takes any kind counts for none."""
    found = {name: amount for name, amount in vector.items() if not name.startswith("gpu/")}
    gpus = sum(amount for name, amount in vector.items() if name.startswith("gpu/"))
    return {**found, called: gpus} if gpus else found


def _stretches(course: Course) -> list[tuple[float, Moment]]:
    """Return how many seconds each moment lasted, until the last job came."""
    last = max((ran.job.submitted for ran in course.ran), default=0.0)
    pairs = [(min(after.at, last) - now.at, now) for now, after in pairwise(course.moments) if now.at < last]
    return [(seconds, moment) for seconds, moment in pairs if seconds > 0]


def _utilisation(stretches: list[tuple[float, Moment]], capacity: Vector) -> dict[str, float]:
    seconds = sum(length for length, _ in stretches)
    held = {name: 0.0 for name, whole in capacity.items() if whole}
    for length, moment in stretches:
        for name, amount in merged_gpus(total(moment.held.values())).items():
            held[name] = held.get(name, 0.0) + length * amount
    return {name: held[name] / (seconds * whole) if seconds else 0.0 for name, whole in capacity.items() if whole}


def _mean_shares(stretches: list[tuple[float, Moment]], capacity: Vector) -> dict[str, float]:
    held: dict[str, float] = {}
    there: dict[str, float] = {}
    for length, moment in stretches:
        for name in moment.held.keys() | moment.waiting.keys():
            share = dominant_share(merged_gpus(moment.held.get(name, {})), capacity)
            held[name] = held.get(name, 0.0) + length * share
            there[name] = there.get(name, 0.0) + length
    return {name: held[name] / there[name] for name in sorted(held)}


def _waits(ran: Sequence[Ran]) -> WaitFigures:
    possible = [one for one in ran if not one.impossible]
    waited = [one.waited for one in possible if one.ended is not None]
    if not waited:
        return WaitFigures(jobs=len(possible), ended=0)
    median, p90, longest = (float(value) for value in np.quantile(waited, [0.5, 0.9, 1.0]))
    return WaitFigures(jobs=len(possible), ended=len(waited), median=median, p90=p90, longest=longest)
