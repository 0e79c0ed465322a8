"""Agreement with independent implementations, each in an environment of its own, never a dependency of the product."""

from __future__ import annotations

import numpy as np

from benchmarks.evidence.agreement import ask, questions
from benchmarks.evidence.contract import Between, Claim, Reading, Study, Words, column

ASKED = questions()
NAMES = {
    "prediction_powered_mean": "prediction-powered interval, beyond ours: ppi-python",
    "scores_of_labels": "seven measures of class decisions: scikit-learn",
    "binomial_interval": "exact binomial interval: scipy",
}


def differences(_: np.random.Generator, size: int) -> list[list[float]]:
    answers = ask(ASKED)
    return [[question.apart(answers[question.name]) for question in ASKED]] * size


CLAIM = Claim(
    id="oracles",
    source="statistics, §1",
    title=Words("Agreement with independent implementations", "与独立实现的一致性"),
    sentence=Words(
        "Where others have written the same procedure, the answers are the same to the last digit that either keeps.",
        "凡有他人独立实现的同一方法，结果在双方所保留的最后一位上都一致。",
    ),
    assumes=Words(
        "ppi-python 0.2.3, scikit-learn and scipy as locked in benchmarks/peers, "
        "asked in an environment of their own. confseq does not build on this Python: its frozen vectors stand under "
        "the golden vectors.",
        "ppi-python 0.2.3、scikit-learn 与 scipy 的版本见 benchmarks/peers 的锁文件，"
        "均在独立环境中运行。confseq 无法在此 Python 版本上构建，其固化向量见“基准向量”。",
    ),
    studies=(
        Study(
            differences,
            tuple(
                Reading(
                    f"{NAMES[question.name]}: largest difference",
                    "ours",
                    Between(0, question.within),
                    0,
                    column(place),
                    share=False,
                )
                for place, question in enumerate(ASKED)
            ),
            1,
            0,
        ),
    ),
    level=None,
    note="5,000 cases from a fixed seed, scores with ties. Tolerances: "
    + "; ".join(f"{NAMES[question.name].split(':')[0]} – {question.why}" for question in ASKED)
    + ".",
)
