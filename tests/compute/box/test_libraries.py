"""The libraries that applications bring, used in a box as their authors would."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sklearn

from pilotbase.compute.box.environments import Environment
from pilotbase.compute.box.trees import digest_tree
from pilotbase.documents.contract import Contract, Field, Prediction
from pilotbase.documents.limits import Limits
from pilotbase.protocols.frames import Batch
from tests.compute.conftest import SETTINGS

PACKAGES = ("numpy", "numpy.libs", "scipy", "scipy.libs", "sklearn", "scikit_learn.libs")
SMALL_PACKAGES = ("joblib", "cloudpickle", "loky", "narwhals", "threadpoolctl.py")
LEARNER = """
import joblib, numpy, threadpoolctl
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

points = numpy.linspace(-1, 1, 400).reshape(-1, 1)
models = [HistGradientBoostingClassifier(max_iter=20), RandomForestClassifier(20, n_jobs=2)]
for model in models:
    model.fit(points, points[:, 0] > 0)
joblib.dump(models, "/tmp/models.joblib", compress=3)
models = joblib.load("/tmp/models.joblib")
mapped = numpy.memmap("/tmp/points", dtype=float, mode="w+", shape=400)
mapped[:] = points[:, 0]
mapped.flush()
threadpoolctl.threadpool_info()

def predict(batch):
    return numpy.mean([model.predict_proba(batch.matrix())[:, 1] for model in models], axis=0)
"""


@pytest.fixture(scope="module")
def with_learning(shared_folder: Path) -> Environment:
    """An environment that holds the scikit-learn of the running Python and what it needs."""
    tree, packages = shared_folder / "learning-tree", Path(sklearn.__file__).parent.parent
    unwanted = shutil.ignore_patterns("tests", "*.pyi", "*.a")
    tree.mkdir()
    for name in PACKAGES + SMALL_PACKAGES:
        if (packages / name).is_dir():
            shutil.copytree(packages / name, tree / name, ignore=unwanted)
        elif (packages / name).exists():
            shutil.copy2(packages / name, tree / name)
    return Environment("sha256:" + "0" * 64, tree, (f"scikit-learn=={sklearn.__version__}",), digest_tree(tree))


def test_scikit_learn_fits_stores_loads_and_answers(start, with_learning):
    contract = Contract(features=(Field(name="x", dataType="sc:Float"),), prediction=Prediction(kind="probability"))
    settings = replace(SETTINGS, limits=Limits(memory_bytes=1 << 30, processes=40))
    with start(LEARNER, contract, with_learning, settings) as worker:
        answers = worker.predict(Batch({"x": np.array([-0.9, 0.9])}, 2)).values
    assert answers[0] < 0.2 and answers[1] > 0.8
