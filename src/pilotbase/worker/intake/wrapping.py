"""A trained model, wrapped: the folder of an application that answers a scenario's contract with it.

Models of ONNX, skops and MLflow are loaded by the base. For other formats a program is written, from one template for
estimators and one for boosters and networks, with the packages that load the model there in its lock.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from pilotbase.catalogue.application_draft import (
    FORM_TEMPLATES,
    ApplicationRequest,
    FormTemplate,
    draft_application,
    starter,
)
from pilotbase.catalogue.model_files import DEFAULT_NAMES, ModelFile, recognise
from pilotbase.documents.application import DEFAULT_REQUIREMENTS, Runtime
from pilotbase.documents.base import Localized
from pilotbase.documents.contract import ARRAYS, TARGETS, Contract, DataType, Prediction
from pilotbase.documents.errors import InputError
from pilotbase.documents.extras import packages_of
from pilotbase.documents.files import whole_folder, write_whole
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.texts import Text, text
from pilotbase.sandbox.adapters.registry import adapter_of
from pilotbase.sandbox.box.environments import missing_packages
from pilotbase.sandbox.box.wheels import lock_line
from pilotbase.worker.intake.drafting import read_contract, require_new
from pilotbase.worker.intake.locking import Wanted, installed_version, locked_for, providers, want
from pilotbase.workspace.plain_files import is_plain

_NUMBERS = frozenset({DataType.FLOAT, DataType.INTEGER, DataType.BOOLEAN})
_OF_SKOPS = frozenset({"label", "probability", "probabilities", "value", "interval", "text", "labels"})
_FILE = 'Path(__file__).with_name("{file}")'


@dataclass(frozen=True)
class ModelForm:
    """How models of a format answer in the box."""

    runtime: Runtime = "python"
    program: str = ""
    """Template of the program that loads it."""
    imports: str = ""
    load: str = ""
    stored: str = 'getattr(MODEL, "feature_names_in_", FEATURES)'
    """Its features in its order."""
    prepared: str = ""
    ask: str = ""
    """What the model answers to ``given``, a matrix of shape (cases, features)."""
    modules: tuple[str, ...] = ()
    """What the program imports."""
    types: Set[DataType] = _NUMBERS
    """Types of features that it can be given."""
    kinds: Set[str] = frozenset({"label", "probability", "probabilities", "value"})
    """Kinds of answers that it can give."""


MODEL_FORMS: Mapping[str, ModelForm] = MappingProxyType(
    {
        "onnx": ModelForm("onnx", types=frozenset(DataType), kinds=frozenset(TARGETS) - {"boxes"}),
        "skops": ModelForm("skops", kinds=_OF_SKOPS),
        "mlflow": ModelForm("mlflow", types=frozenset(DataType), kinds=frozenset(TARGETS) - {"boxes"}),
        "sklearn": ModelForm(
            program="estimator",
            imports="import joblib",
            load=f"joblib.load({_FILE})",
            modules=("joblib",),
            types=frozenset(DataType) - ARRAYS,
        ),
        "catboost": ModelForm(
            program="estimator",
            imports="from catboost import CatBoost{role}",
            load=f"CatBoost{{role}}().load_model(str({_FILE}))",
            stored="(FEATURES if all(map(str.isdigit, MODEL.feature_names_)) else MODEL.feature_names_)",
            modules=("catboost",),
            types=frozenset(DataType) - ARRAYS,
        ),
        "lightgbm": ModelForm(
            program="scores",
            imports="import lightgbm",
            load=f"lightgbm.Booster(model_file=str({_FILE}))",
            ask="MODEL.predict(given)",
            modules=("lightgbm", "numpy"),
        ),
        "xgboost": ModelForm(
            program="scores",
            imports="import xgboost",
            load=f"xgboost.Booster(model_file=str({_FILE}))",
            prepared="# Trees up to the best round, if training stopped early · 提前停止训练时，只用到最佳一轮\n"
            'BEST = MODEL.attr("best_iteration")\n'
            "ROUNDS = (0, int(BEST) + 1) if BEST else (0, 0)",
            ask="MODEL.inplace_predict(given, iteration_range=ROUNDS)",
            modules=("xgboost", "numpy"),
        ),
        "torch": ModelForm(
            program="scores",
            imports="import torch",
            load=f"torch.jit.load(str({_FILE})).eval()",
            prepared="TYPE = next((one.dtype for one in MODEL.parameters()), torch.float32)",
            ask="MODEL(torch.tensor(given, dtype=TYPE)).detach().numpy()",
            modules=("torch", "numpy"),
        ),
    }
)
"""Format of a model → how it answers. Names: text ``worker.model.<format>``."""
_SOFTPROB = '\nMODEL.set_param({"objective": "multi:softprob"})'
"""A booster of XGBoost trained to answer numbers of classes gives their probabilities."""
_PACKAGES: Mapping[str, str] = MappingProxyType(
    {"sklearn": "scikit-learn", "xgboost": "xgboost-cpu", "imblearn": "imbalanced-learn"}
    | {name: name for name in ("lightgbm", "catboost", "torch", "numpy", "pandas", "scipy", "joblib")}
)
"""Module → the package that provides it, where it is not installed here."""
_CHECK = Localized(
    en="`app.py`: check the order of the features and of the classes that it states.",
    zh="`app.py`：核对其中写明的特征顺序和类别顺序。",
)
_TRY = Localized(
    en="Rehearse it: the log says what the model was found to take and to answer.",
    zh="发起预演：日志会说明模型的输入与输出。",
)
_FRAME = "pandas.DataFrame({name: batch[name] for name in NAMES}).replace({None: numpy.nan})"
_RETURNED: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "estimator": {
            "value": "numpy.ravel(MODEL.predict(given))",
            "label": "[KNOWN[spelled(one)] for one in numpy.ravel(MODEL.predict(given)).tolist()]",
            "probability": "MODEL.predict_proba(given)[:, [*KNOWN.values()].index({positive})]",
            "probabilities": "MODEL.predict_proba(given)[:, [[*KNOWN.values()].index(one) for one in {classes}]]",
        },
        "scores": {
            "value": "rows(batch, shares=False)[:, 0]",
            "label": "[CLASSES[code] for code in rows(batch, shares=False).argmax(axis=1)]",
            "probability": "rows(batch, shares=True)[:, CLASSES.index({positive})]",
            "probabilities": "rows(batch, shares=True)[:, [CLASSES.index(one) for one in {classes}]]",
        },
    }
)
"""Template of a program and kind of answer → what ``predict`` returns."""


@dataclass(frozen=True)
class WrappedModel:
    """A model's application on disk."""

    found: ModelFile
    files: tuple[Path, ...]
    """Includes the public sample, which is beside the folder, last."""
    wanted: tuple[Wanted, ...]
    classes: tuple[str, ...]
    """The order that the program counts on, where the model's file does not say it; else empty."""

    def lines(self) -> Iterator[Text]:
        """Yield what the model was found to be, what was locked for it, and what its supplier has to check."""
        yield text("worker.wrap_found", model=self.found.path, format=text(f"worker.model.{self.found.format}"))
        yield from (one.line() for one in self.wanted)
        if self.classes:
            numbered = [f"{number} = {name}" for number, name in enumerate(self.classes)]
            yield text("worker.wrap_order", classes=numbered)
        adapter = adapter_of(MODEL_FORMS[self.found.format].runtime)
        if adapter is not None and missing_packages(adapter.needs):
            yield text("worker.wrap_first_install", runtime=adapter.runtime, packages=packages_of(adapter.extra))


def wrap_model(
    model: Path, scenario_path: Path, folder: Path, supplier: str, packages: Sequence[str] = ()
) -> WrappedModel:
    """Write an application that answers the scenario with ``model``, and the public sample beside it.

    ``scenario_path``: its folder, its manifest, or its kit. ``packages``: to lock instead of those found out.

    Raises:
        InputError: the model is none that is known, or it cannot answer the contract, or the folder exists.
        PilotbaseError: as `pilotbase.sandbox.box.wheels.resolve_wheels`.
    """
    require_new(folder)
    found = recognise(model)
    scenario, public = read_contract(scenario_path)
    _require_fit(found, public.contract)
    form = MODEL_FORMS[found.format]
    wanted = _packages(found, public.contract, packages) if form.runtime == "python" else []
    lock = "".join(map(lock_line, locked_for(wanted)))
    template = _template(found, form)
    order = class_order(scenario, public.contract.prediction)
    words = _words(found, form, public.contract, order)
    sample = folder.parent / f"{folder.name}-sample.csv"
    with whole_folder(folder) as draft:
        request = ApplicationRequest(supplier, folder.name, runtime=form.runtime)
        draft_application(scenario, public.contract, draft, request, template, words)
        _copy(found, draft)
        if form.runtime == "python":
            (draft / DEFAULT_REQUIREMENTS).write_text(lock, "utf-8")
        names = sorted(str(path.relative_to(draft)) for path in draft.rglob("*") if path.is_file())
        write_whole(sample, public.csv)
    files = (*(folder / name for name in names), sample)
    return WrappedModel(found, files, tuple(wanted), order if form.program == "scores" else ())


def _require_fit(found: ModelFile, contract: Contract) -> None:
    """Refuse a model that cannot answer the contract, as far as its file tells."""
    form, prediction = MODEL_FORMS[found.format], contract.prediction
    if prediction.kind not in form.kinds:
        raise InputError("worker.wrap_kind", model=found.path, kind=prediction.kind, allowed=sorted(form.kinds))
    others = [field.name for field in contract.features if field.data_type not in form.types]
    if others:
        raise InputError("worker.wrap_types", model=found.path, columns=others)
    names = [field.name for field in contract.features]
    columns = [] if all(map(DEFAULT_NAMES.fullmatch, found.columns)) else list(found.columns)
    if columns and sorted(columns) != sorted(map(_as_stored, names)):
        raise InputError("worker.wrap_columns", model=found.path, found=columns, expected=names)
    if found.count not in (None, len(names)):
        raise InputError("worker.wrap_count", model=found.path, found=found.count, count=len(names), expected=names)
    if form.program != "scores" or found.format == "torch":
        return
    if found.answers is None or (found.answers == "value") != (prediction.kind == "value"):
        objective, kind = found.objective or "-", prediction.kind
        raise InputError("worker.wrap_objective", model=found.path, objective=objective, kind=kind)
    if prediction.kind != "value" and found.classes != len(prediction.classes):
        raise InputError("worker.wrap_classes", model=found.path, found=found.classes, expected=prediction.classes)


def _as_stored(name: str) -> str:
    """Return the name of a column as boosters store it: without blanks."""
    return re.sub(r"\s", "_", name)


def _packages(found: ModelFile, contract: Contract, packages: Sequence[str]) -> list[Wanted]:
    """Return what loads the model: at the version that its file names, else the one installed here.

    If the file names another version than the one installed here, pip chooses what fits that one.
    """
    if packages:
        return [want(one, text("worker.lock_why_given")) for one in packages]
    frame = {"pandas"} if _wants_frame(found, contract) else set()
    modules = sorted({*MODEL_FORMS[found.format].modules, *found.modules, *frame} - {"scipy"})
    installed = providers(modules)
    unknown = [module for module in modules if not installed[module] and module not in _PACKAGES]
    if unknown:
        raise InputError("worker.wrap_unknown_modules", model=found.path, modules=unknown)
    of_modules = {module: installed[module] or [_PACKAGES[module]] for module in modules}
    other = any(version != installed_version(_PACKAGES[module]) for module, version in found.versions.items())
    why = text("worker.lock_why_model", file=found.file)
    wanted = []
    for module, names in of_modules.items():
        bound = f"=={found.versions[module]}" if module in found.versions else ""
        wanted += [Wanted(name + bound, why) if bound or other else want(name, why) for name in names]
    return wanted


def _wants_frame(found: ModelFile, contract: Contract) -> bool:
    return found.wants_frame or any(field.data_type not in _NUMBERS for field in contract.features)


def _template(found: ModelFile, form: ModelForm) -> FormTemplate:
    """Return how the application starts out: with the model's own file, and a program if one has to load it."""
    opening = Localized(en=f"`{found.file}` answers. Before you submit it:", zh=f"由 `{found.file}` 作答。提交之前：")
    if form.runtime == "python":
        start = FORM_TEMPLATES["python"].model_copy(update={"template": form.program, "first": _CHECK})
        return start.model_copy(update={"opening": opening})
    model = f"{found.file}/MLmodel" if form.runtime == "mlflow" else found.file
    manifest = f"runtime: {form.runtime}\nmodel: {model}\n"
    return FormTemplate(manifest=manifest, program=None, first=_TRY, opening=opening)


def _words(found: ModelFile, form: ModelForm, contract: Contract, order: tuple[str, ...]) -> dict[str, object]:
    """Return what the program contains of model and contract."""
    prediction, names = contract.prediction, [field.name for field in contract.features]
    stored = {_as_stored(name): name for name in names}
    values = {"file": found.file, "role": "Classifier" if order else "Regressor"}
    asked = "predict_proba" if prediction.kind in ("probability", "probabilities") else "predict"
    of_classes = starter("classes.txt").format(classes=list(order)) if order and form.program == "estimator" else ""
    prepared = (of_classes or form.prepared).rstrip() + (_SOFTPROB if found.objective == "multi:softmax" else "")
    returned = _RETURNED.get(form.program, {}).get(prediction.kind, "")
    given = _FRAME if _wants_frame(found, contract) else "batch.matrix(NAMES)"
    used = [name for name in ("numpy", "pandas") if f"{name}." in given + returned or name in form.modules]
    return {
        **values,
        "imports": "\n".join(sorted({form.imports.format(**values), *(f"import {name}" for name in used)})),
        "load": form.load.format(**values),
        "ask": form.ask,
        "stored": form.stored,
        "names": [stored[name] for name in found.columns] if set(found.columns) == set(stored) else names,
        "classes": list(order),
        "needed": [asked, "classes_"] if order else [asked],
        "prepared": prepared and f"\n{prepared}",
        "given": given,
        "returned": returned.format(positive=repr(prediction.positive), classes=list(prediction.classes)),
    }


def class_order(scenario: Scenario, prediction: Prediction) -> tuple[str, ...]:
    """Return the classes in the order of the numbers that training usually gives them.

    Of two classes the positive one is 1; of more, as encoders sort them: numbers by size, texts by their letters.
    """
    classes = prediction.classes
    if len(classes) == 2 and scenario.positive in classes:
        return tuple(sorted(classes, key=lambda name: name == scenario.positive))
    try:
        return tuple(sorted(classes, key=float))
    except ValueError:
        return tuple(sorted(classes))


def _copy(found: ModelFile, folder: Path) -> None:
    """Copy the model's files; raises `InputError` if one that it names lies elsewhere or is missing."""
    if found.path.is_dir():
        shutil.copytree(found.path, folder / found.file, symlinks=True)
        return
    shutil.copyfile(found.path, folder / found.file)
    for name in found.beside:
        beside = found.path.parent / name
        if not is_plain(name) or not beside.is_file():
            raise InputError("worker.wrap_weights", model=found.path, file=name)
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(beside, folder / name)
