"""Thresholdout: noise of the stated size, a budget that ends, and the experiment of Science 349:636."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pilotbase.documents.errors import InputError
from pilotbase.evidence.reused_holdout import Thresholdout


def test_near_values_repeat_the_training_set_and_far_ones_do_not() -> None:
    holdout = Thresholdout(0.5, 0.01, seed=1)
    answers = holdout.update(np.array([[0.70, 0.60], [0.70, 0.71], [0.9, 0.1]]))
    assert answers[:2].tolist() == [0.70, 0.70]
    assert answers[2] != 0.1
    assert answers[2] == pytest.approx(0.1, abs=0.05)
    assert holdout.state.from_holdout == 1


@pytest.mark.parametrize(("noise", "deviation"), [("gaussian", 0.01), ("laplace", 0.01 * math.sqrt(2))])
def test_answers_carry_noise_of_the_stated_size(noise: str, deviation: float) -> None:
    asked = np.tile([0.9, 0.1], (4000, 1))
    answers = Thresholdout(0.2, 0.01, seed=2, noise=noise).update(asked)  # type: ignore[arg-type]
    assert np.std(answers - 0.1) == pytest.approx(deviation, rel=0.06)
    assert np.mean(answers) == pytest.approx(0.1, abs=0.001)


@pytest.mark.parametrize("noise", ["gaussian", "laplace"])
def test_whether_the_holdout_answers_says_nothing_of_the_noise_on_its_answer(noise: str) -> None:
    """At the threshold the noise on the comparison decides; the answers it lets through are still centred."""
    asked = np.tile([0.5, 0.25], (4000, 1))
    answers = Thresholdout(0.25, 0.01, seed=6, noise=noise).update(asked)  # type: ignore[arg-type]
    from_holdout = answers[answers < 0.4]
    assert 400 < len(from_holdout) < 3600
    assert from_holdout.mean() == pytest.approx(0.25, abs=0.001)


def test_another_seed_gives_other_noise() -> None:
    asked = np.tile([0.9, 0.1], (20, 1))
    one, two = (Thresholdout(0.2, 0.01, seed=seed).update(asked) for seed in (3, 4))
    assert not (one == two).any()


def test_a_spent_budget_ends_the_answers() -> None:
    holdout = Thresholdout(0.2, 0.001, seed=5, noise="laplace", budget=3)
    answers = holdout.update(np.tile([0.9, 0.1], (5, 1)))
    assert np.isnan(answers).tolist() == [False] * 3 + [True] * 2
    assert holdout.exhausted


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(InputError, match="scale"):
        Thresholdout(0.1, 0.0, seed=0)


def experiment(seed: int, n: int, chosen: int, with_signal: int = 0) -> tuple[float, float, float, float]:
    """Choose attributes by training set and holdout, n cases and n attributes; return what is reported and true.

    Accuracy as the plain holdout reports it and on fresh cases, then the same with Thresholdout.
    """
    rng = np.random.default_rng(seed)

    def cases() -> tuple[np.ndarray, np.ndarray]:
        truth = rng.choice(np.array([-1.0, 1.0], dtype=np.float32), n)
        attributes = rng.standard_normal((n, n), dtype=np.float32)
        attributes[:, :with_signal] += np.float32(6 / math.sqrt(n)) * truth[:, None]
        return attributes, truth

    training, holdout, fresh = cases(), cases(), cases()
    on_training, on_holdout = (attributes.T @ truth / n for attributes, truth in (training, holdout))
    noisy = Thresholdout(4 / math.sqrt(n), 1 / math.sqrt(n), seed)

    def accuracies(seen: np.ndarray) -> list[float]:
        enough = 1 / math.sqrt(n)
        agree = (np.sign(on_training) == np.sign(seen)) & (np.minimum(abs(on_training), abs(seen)) >= enough)
        best = np.flatnonzero(agree)[np.argsort(-abs(on_training[agree]))][:chosen]
        vote = np.sign(on_training[best])
        return [
            float((np.sign(attributes[:, best] @ vote) == truth).mean())
            for attributes, truth in (training, holdout, fresh)
        ]

    _, plain, plain_true = accuracies(on_holdout)
    of_training, of_holdout, true = accuracies(noisy.update(np.stack((on_training, on_holdout), axis=1)))
    reported = float(noisy.update(np.array([[of_training, of_holdout]]))[0])
    return plain, plain_true, reported, true


def test_without_signal_the_plain_holdout_reports_accuracy_that_is_not_there() -> None:
    """Figure 1 at a tenth of its size: n = d = 1000, 50 attributes chosen, where the paper has 10,000 and 500."""
    plain, plain_true, reported, true = np.mean([experiment(seed, 1000, 50) for seed in range(6)], axis=0)
    assert plain == pytest.approx(0.63, abs=0.02)
    assert plain_true == pytest.approx(0.5, abs=0.02)
    assert reported == pytest.approx(true, abs=0.04)


@pytest.mark.prove
def test_figure_one_at_full_size() -> None:
    """n = d = 10,000, 500 chosen: > .63 reported where the truth is .50; with Thresholdout within .04 (1.2 GB)."""
    plain, plain_true, reported, true = np.mean([experiment(seed, 10_000, 500) for seed in range(2)], axis=0)
    assert plain == pytest.approx(0.63, abs=0.01)
    assert plain_true == pytest.approx(0.5, abs=0.01)
    assert reported == pytest.approx(true, abs=0.04)


@pytest.mark.prove
def test_figure_two_with_signal() -> None:
    """Twenty attributes tell something: the plain holdout overstates, Thresholdout agrees with fresh cases."""
    plain, plain_true, reported, true = np.mean([experiment(seed, 2500, 125, 20) for seed in range(5)], axis=0)
    assert plain - plain_true > 0.08
    assert reported == pytest.approx(true, abs=0.05)
