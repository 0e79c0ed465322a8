"""Writes gradient-boosted trees of scikit-learn as plain arrays that a few lines of numpy can follow.

Every tree is padded to a complete one: node i has the children 2i+1 (value ≤ threshold) and 2i+2.
"""

from typing import Any

PAD = 1e30
"""Threshold of a padding node: every value goes left."""


def export(model: Any, features: list[str], base: float) -> dict[str, Any]:
    """Return ``{features, depth, base, split, threshold, leaf}``; leaves already carry the learning rate."""
    trees = [tree.tree_ for tree in model.estimators_[:, 0]]
    depth = max(tree.max_depth for tree in trees)
    padded = [_complete(tree, depth, model.learning_rate) for tree in trees]
    return {
        "features": features,
        "depth": depth,
        "base": round(base, 5),
        "split": [split for split, _, _ in padded],
        "threshold": [threshold for _, threshold, _ in padded],
        "leaf": [leaf for _, _, leaf in padded],
    }


def _complete(tree: Any, depth: int, rate: float) -> tuple[list[int], list[float], list[float]]:
    split, threshold, level = [], [], [0]
    for _ in range(depth):
        for node in level:
            inner = tree.children_left[node] >= 0
            split.append(int(tree.feature[node]) if inner else 0)
            threshold.append(round(float(tree.threshold[node]), 4) if inner else PAD)
        level = [child for node in level for child in _children(tree, node)]
    return split, threshold, [round(float(tree.value[node][0][0]) * rate, 4) for node in level]


def _children(tree: Any, node: int) -> tuple[int, int]:
    left = int(tree.children_left[node])
    return (left, int(tree.children_right[node])) if left >= 0 else (node, node)
