"""Where cases come in clusters the unit is the cluster; of a population the claim is then about the mean of units."""

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


BOUND_OF_UNITS = "0.826"


def by_cluster(rng: np.random.Generator) -> bool:
    right, units = answers(rng)
    plan = share_of(right, BOUND_OF_UNITS, "population", units=units, unit="patient")
    return accepted(plan, draw_order(len(right), rng.bytes(32), units))


def a_larger_one_unseen(rng: np.random.Generator) -> bool:
    """Return whether 100 single cases, all right, accept at 0.9951 where one in 200 has 22, all wrong."""
    sizes = np.where(rng.random(100) < 0.005, 22, 1)
    units = np.repeat(np.arange(100), sizes)
    plan = share_of(np.repeat(sizes == 1, sizes), "0.9951", "population", units=units, unit="patient")
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
        "patient as unit it is at most α, and the claim is about the mean of patients, however large any of them is.",
        "把同一患者的多条案例当作独立样本，会过于频繁地让恰好处在阈值上的应用通过；以患者为单位则误判至多为 α，"
        "结论针对“患者均值”，与任一患者的案例数无关。",
    ),
    assumes=Words(
        "Clusters are independent draws; cases within a cluster may depend on each other in any way. A fully scored "
        "hidden set keeps the share of its cases.",
        "各群为独立抽取；群内案例可任意相关。完整评分的隐藏集仍按案例计算比例。",
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
            (Reading("cluster as unit, mean of clusters: accepted", "ours", AtMost(0.05), 0.006),),
            4000,
            100,
        ),
        Study(
            each(two_estimands),
            (
                Reading("share of cases that are right", "fact", Shown(), 0.856, column(0), share=False),
                Reading("mean over clusters", "fact", Shown(), 0.826, column(1), share=False),
            ),
            1000,
            50,
        ),
        Study(
            each(a_larger_one_unseen),
            (Reading("a large cluster that is rarely seen: accepted", "ours", AtMost(0.05)),),
            2000,
            100,
        ),
    ),
    note="120 patients with 4 or 16 records, each right or wrong as a whole; thresholds are the true share of cases, "
    "0.856, and the true mean of patients, 0.826. The table's own simulation had other cluster sizes; what is asked is "
    "only that it fails.",
)
