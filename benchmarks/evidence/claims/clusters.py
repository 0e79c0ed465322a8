"""Corrections, row 7: where cases come in clusters, the unit is the cluster, and the claim stays weighted by case."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.evidence.contract import AtMost, Beyond, Claim, Reading, Shown, Study, Words, column, each
from benchmarks.evidence.ingredients import accepted, share_of
from pilotbase.evidence import draw_order

CLUSTERS, SMALL, LARGE = 120, 4, 16
RIGHT_SMALL, RIGHT_LARGE = 0.776, 0.876
"""Share of clusters that are right as wholes: 0.856 of the cases, 0.826 of the clusters."""
BOUND = "0.856"


def answers(rng: np.random.Generator) -> tuple[Any, Any]:
    """Return right answers and cluster codes: a cluster is right or wrong as a whole."""
    sizes = rng.choice([SMALL, LARGE], CLUSTERS)
    whole = rng.random(CLUSTERS) < np.where(sizes == SMALL, RIGHT_SMALL, RIGHT_LARGE)
    return np.repeat(whole, sizes), np.repeat(np.arange(CLUSTERS), sizes)


def in_order(rng: np.random.Generator) -> bool:
    right, _ = answers(rng)
    return accepted(share_of(right, BOUND, "population"))


def shuffled(rng: np.random.Generator) -> bool:
    right, _ = answers(rng)
    return accepted(share_of(right, BOUND, "population"), rng.permutation(len(right)))


def by_cluster(rng: np.random.Generator) -> bool:
    right, units = answers(rng)
    plan = share_of(right, BOUND, "population", units=units, unit="patient")
    return accepted(plan, draw_order(len(right), rng.bytes(32), units))


def a_larger_one_unseen(rng: np.random.Generator) -> bool:
    """Return whether 100 single cases, all right, accept where one cluster in 200 has 22 cases, all wrong: 0.9005."""
    sizes = np.where(rng.random(100) < 0.005, 22, 1)
    units = np.repeat(np.arange(100), sizes)
    plan = share_of(np.repeat(sizes == 1, sizes), "0.9015", "population", units=units, unit="patient")
    return accepted(plan, draw_order(len(units), rng.bytes(32), units))


def two_estimands(rng: np.random.Generator) -> list[float]:
    right, units = answers(rng)
    clusters = np.bincount(units, right) / np.bincount(units)
    return [float(right.mean()), float(clusters.mean())]


CLAIM = Claim(
    id="clusters",
    source="corrections, row 7",
    title=Words("The unit is the cluster", "独立单位是整群"),
    sentence=Words(
        "Cases of one patient taken as independent accept an application at the threshold far too often; with the "
        "patient as unit it is at most α, and the claim stays the share of cases, not the mean of patients.",
        "把同一患者的多条案例当作独立样本，会过于频繁地让恰好处在阈值上的应用通过；以患者为单位则误判至多为 α，"
        "且结论仍是“案例中的比例”，而不是“患者均值”。",
    ),
    assumes=Words(
        "Clusters are independent draws; cases within a cluster may depend on each other in any way; the population "
        "has no cluster with more eligible cases than the largest one here. Report and certificate say so; where it "
        "is not so nothing is promised (last row).",
        "各群为独立抽取；群内案例可任意相关；总体中没有任何一群所含的可计案例数超过此处最大的一群。"
        "报告与证书均写明这一前提；若不成立，则不作任何保证（见末行）。",
    ),
    studies=(
        Study(
            each(in_order),
            (Reading("case as unit, clusters in order: accepted", "wrong", Beyond(0.05), 0.64),),
            2000,
            100,
        ),
        Study(
            each(shuffled), (Reading("case as unit, cases shuffled: accepted", "wrong", Beyond(0.05), 0.15),), 4000, 300
        ),
        Study(
            each(by_cluster),
            (Reading("cluster as unit, weighted by case: accepted", "ours", AtMost(0.05), 0.006),),
            4000,
            100,
        ),
        Study(
            each(two_estimands),
            (
                Reading("share of cases that are right", "fact", Shown(), 0.856, column(0), share=False),
                Reading("mean over clusters: another estimand", "fact", Shown(), 0.84, column(1), share=False),
            ),
            1000,
            50,
        ),
        Study(
            each(a_larger_one_unseen),
            (Reading("assumption broken, a larger cluster is rarely seen: accepted", "fact", Shown()),),
            2000,
            100,
        ),
    ),
    note="120 patients with 4 or 16 records, each right or wrong as a whole; the threshold is the true share of cases, "
    "0.856. The table's own simulation had other cluster sizes; what is asked is only that it fails.",
)
