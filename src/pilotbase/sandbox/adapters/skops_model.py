"""A scikit-learn model in a skops file: known types only, never a pickle, and no code of the supplier's.

skops trusts no compiled type, and therefore no tree. Those of scikit-learn's own estimators are trusted here, one by
one: they hold arrays and run nothing from the file. A tree with forged arrays may still read beyond them, which the box
contains as it contains any application.

It gets the features as one matrix in the order of the contract or, if it was fitted on named columns, in their order.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

RUNTIME = "skops"
NEEDS = ("skops", "scikit-learn", "numpy")
EXTRA = "sklearn"

_TRUSTED = (
    "sklearn.tree._tree.Tree",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neighbors._ball_tree.BallTree",
    "sklearn.metrics._dist_metrics.EuclideanDistance",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.utils._bunch.Bunch",
)
_KINDS = ("label", "probability", "probabilities", "value", "interval", "text", "labels")


def load(given: Any) -> Callable[[Any], Any]:
    """Return a function that answers batches; raises with the reason why the model is refused."""
    model = _read(given)
    names = _columns(model, given)
    if given.kind == "probability":
        (column,) = _columns_of(model, given, [given.positive])
        return lambda batch: model.predict_proba(given.numbers(batch, names))[:, column]
    if given.kind == "probabilities":
        columns = _columns_of(model, given, given.classes)
        return lambda batch: model.predict_proba(given.numbers(batch, names))[:, columns]
    if given.kind == "labels":
        return lambda batch: _label_sets(model.predict(given.numbers(batch, names)), given)
    return lambda batch: model.predict(given.numbers(batch, names))


def _read(given: Any) -> Any:
    from skops.io import load as load_model  # type: ignore[import-untyped, unused-ignore]
    from skops.io.exceptions import UntrustedTypesFoundException  # type: ignore[import-untyped, unused-ignore]

    warnings.filterwarnings("ignore", message="X has feature names")
    warnings.filterwarnings("ignore", message="X does not have valid feature names")
    try:
        return load_model(Path(given.folder, given.form["model"]), trusted=list(_TRUSTED))
    except UntrustedTypesFoundException as problem:
        raise given.refused(
            "model_refused", f"the model holds types that are no plain scikit-learn: {problem}"
        ) from None
    except MemoryError:
        raise
    except Exception as problem:  # noqa: BLE001 - a broken file breaks anywhere
        said = f"skops cannot read {Path(given.folder, given.form['model']).name}: {type(problem).__name__}: {problem}"
        raise given.refused("model_unreadable", said[:2000]) from None


def _columns(model: Any, given: Any) -> list[str]:
    """Return the features in the model's order; refuse a model with another number of features or other names."""
    if given.kind not in _KINDS:
        raise given.refused("model_misfit", f"a model by skops answers {', '.join(_KINDS)}, not {given.kind}")
    asked = "predict_proba" if given.kind in ("probability", "probabilities") else "predict"
    if not callable(getattr(model, asked, None)):
        raise given.refused("model_misfit", f"a {type(model).__name__} has no {asked}, which the contract needs")
    texts = [name for name in given.features if not given.is_number(name)]
    if texts:
        raise given.refused(
            "model_misfit", f"the features {texts} are no numbers, and a model by skops takes one matrix"
        )
    count = getattr(model, "n_features_in_", len(given.features))
    names = [str(name) for name in getattr(model, "feature_names_in_", given.features)]
    if count != len(given.features) or sorted(names) != sorted(given.features):
        raise given.refused("model_misfit", f"the model takes {count} features {names}, not {given.features}")
    return names


def _label_sets(flags: Any, given: Any) -> list[list[str]]:
    """Return the classes present; ``flags``: 0 or 1, shape (cases, classes) in the order of the contract."""
    if flags.ndim != 2 or flags.shape[1] != len(given.classes):
        raise given.refused(
            "model_misfit", f"the model answers {flags.shape}, not a column for each of {given.classes}"
        )
    return [[given.classes[code] for code in row.nonzero()[0]] for row in flags]


def _columns_of(model: Any, given: Any, wanted: list[str | None]) -> list[int]:
    """Return the column of each ``wanted`` class."""
    known = model.classes_.tolist()
    codes = [given.code(one) for one in known]
    if not all(one is not None and given.code(one) in codes for one in wanted):
        raise given.refused("model_misfit", f"the model knows the classes {known}, not {wanted}")
    return [codes.index(given.code(one)) for one in wanted]
