"""A new application's folder, pre-filled from a scenario's contract: it runs as it is, for its supplier to improve.

How a new application of each form starts out: its part of the manifest, its files, and the steps in its README.

Programs, manifest and README are files of `starters`, as `str.format` reads them: comments are in English and Chinese.
The scenario's words appear only as comments or values, never as code.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from types import MappingProxyType

from pilotbase.catalogue.applications import MANIFEST
from pilotbase.documents.application import DEFAULT_REQUIREMENTS, Application, Runtime
from pilotbase.documents.base import Localized, localized
from pilotbase.documents.contract import ARRAYS, TARGETS, Contract, DataType, Field
from pilotbase.documents.errors import InputError
from pilotbase.documents.extras import packages_of
from pilotbase.documents.loading import build_document
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.texts import LANGUAGES
from pilotbase.documents.visible_text import make_visible
from pilotbase.documents.yaml_reader import parse_yaml


def starter(name: str) -> str:
    """Return a template of this folder; programs begin with a comment on the columns."""
    folder = resources.files("pilotbase.catalogue") / "starters"
    columns, template = (folder.joinpath(f"{one}.txt").read_text("utf-8") for one in ("columns", name))
    return template.replace("{about_columns}\n", columns)


_LOCK = Localized(
    en="`requirements.lock`: the packages that it needs, with their hashes; `pilotbase application lock` writes it.",
    zh="`requirements.lock`：用到的依赖包及其哈希，由 `pilotbase application lock` 写入。",
)
_NO_LOCK = Localized(
    en="No `requirements.lock`: what loads the model is the base's own, and no code of yours runs there.",
    zh="不需要 `requirements.lock`：模型由基地自带的库加载，不运行您的代码。",
)
_BEGUN = Localized(
    en="it is a first application, which always gives the same answer. Make it better:",
    zh="这是入门应用，始终给出同一答案。请把它改好：",
)
_LOCK_LINE = "requirements: requirements.lock   # name==version --hash=sha256:... lines; may stay empty · 可留空\n"
_ENTRY_LINE = "entry_point: app:predict          # module:function in this folder · 本文件夹中的 模块:函数\n"
_COMMAND_LINES = """\
runtime: command                  # a program in any language · 任何语言的程序
command: [python, answer.py]      # or a program of this folder: [bin/answer, --fast] · 或本文件夹中的程序
"""
_ONNX_LINES = """\
runtime: onnx       # a model, computed by onnxruntime · 模型，由 onnxruntime 计算
model: model.onnx   # a file of this folder · 本文件夹中的文件
"""
_SKOPS_LINES = """\
runtime: skops       # a model of scikit-learn, no pickle · scikit-learn 模型，不用 pickle
model: model.skops   # a file of this folder · 本文件夹中的文件
"""
MANIFEST_TEMPLATE, README_TEMPLATE = starter("manifest"), starter("readme")
PUBLIC_SAMPLE = {"sample_en": "the public sample, to train on", "sample_zh": "公开样本，可用于训练"}
SYNTHETIC_SAMPLE = {
    "sample_en": "a synthetic sample, to develop on: every record is made up, a figure measured on it proves nothing",
    "sample_zh": "合成样本，可用于开发：每条记录均为生成，在其上测得的指标不能说明任何结果",
}
_LOADED = "`numpy.load(io.BytesIO(base64.b64decode(cell)))`"
ARRAYS_IN_SAMPLE = {
    "sample_en": f"; an image or a sound in it is the base64 of a `.npy` file: {_LOADED}",
    "sample_zh": f"；其中图像和声音为 `.npy` 文件的 base64：{_LOADED}",
}


@dataclass(frozen=True)
class FormTemplate:
    """The start of a form; its supplier improves the first of ``files`` (name → content)."""

    manifest: str
    files: Mapping[str, str]
    needs: Localized
    """What its README says about requirements."""
    first: Localized
    """What its README says to do first."""
    makes: str | None = None
    """The model that the first file writes when its supplier runs it; None: the folder runs as it is."""
    opening: Localized = _BEGUN
    """What its README begins with."""
    kinds: Collection[str] = frozenset(TARGETS)
    """Kinds of answers that it can give."""
    types: Set[DataType] = frozenset(DataType)
    """Types of features that it can be given."""


FORM_TEMPLATES: Mapping[Runtime, FormTemplate] = MappingProxyType(
    {
        "python": FormTemplate(
            _ENTRY_LINE + _LOCK_LINE,
            {"app.py": starter("python"), DEFAULT_REQUIREMENTS: ""},
            _LOCK,
            Localized(
                en="`app.py`: write `predict`; what the columns and the answer mean stands at the top.",
                zh="`app.py`：编写 `predict`，各列和答案的含义写在文件开头。",
            ),
        ),
        "command": FormTemplate(
            _COMMAND_LINES + _LOCK_LINE,
            {"answer.py": starter("command"), DEFAULT_REQUIREMENTS: ""},
            _LOCK,
            Localized(
                en="`answer.py`: write `answers`; or put a program in another language in its place and name it in "
                "`application.yaml`.",
                zh="`answer.py`：编写 `answers`；也可换成其他语言的程序，并在 `application.yaml` 中写明。",
            ),
        ),
        "onnx": FormTemplate(
            _ONNX_LINES,
            {"make_model.py": starter("onnx")},
            _NO_LOCK,
            Localized(
                en="`make_model.py`: put the export of your model in place of the one there, and run it: it writes "
                "`model.onnx`.",
                zh="`make_model.py`：换成您的模型的导出，然后运行它，写出 `model.onnx`。",
            ),
            makes="model.onnx",
            kinds=frozenset(TARGETS) - {"boxes", "mask"},
            types=frozenset(DataType) - ARRAYS,
        ),
        "skops": FormTemplate(
            _SKOPS_LINES,
            {"make_model.py": starter("skops")},
            _NO_LOCK,
            Localized(
                en="`make_model.py`: put your model in place of the one there, and run it: it writes `model.skops`.",
                zh="`make_model.py`：换成您的模型，然后运行它，写出 `model.skops`。",
            ),
            makes="model.skops",
            kinds=("label", "probability", "probabilities", "value"),
            types=frozenset({DataType.FLOAT, DataType.INTEGER, DataType.BOOLEAN}),
        ),
    }
)
"""Forms that a new application may have."""


_LONGEST_COMMENT = 300
_LONGEST_TITLE = 150

_FLOAT_IF_MISSING = "(with missing values in the scenario: float, NaN) · {kind}（场景中有缺失值时为浮点数，NaN）"
_KINDS = {
    DataType.FLOAT: "number (NaN: missing) · 数值（NaN：缺失）",
    DataType.INTEGER: f"whole number {_FLOAT_IF_MISSING.format(kind='整数')}",
    DataType.IMAGE: "bytes (height, width, channels){given} (None: missing) · 图像数组{given_zh}（None：缺失）",
    DataType.AUDIO: "array of samples{given} (None: missing) · 采样数组{given_zh}（None：缺失）",
    DataType.BOOLEAN: f"true or false {_FLOAT_IF_MISSING.format(kind='真或假')}",
}
_ARRAYS_GIVEN = {
    "python": (", without numpy (shape, type, bytes)", "，没有 numpy 时为 (shape, type, bytes)"),
    "command": (' as {"shape", "type", "base64"}', '，写作 {"shape", "type", "base64"}'),
}
"""How an image or a sound reaches a program, for each form that receives arrays and starts out as a program."""
_NUMBERS = (DataType.FLOAT, DataType.INTEGER, DataType.BOOLEAN)

_ANSWERS = {
    "text": "a text · 文本",
    "probabilities": "a probability for each class, sum 1 · 每个类别的概率，总和为 1",
    "interval": "two numbers, lower and upper · 下限与上限两个数",
    "labels": "a list of classes, maybe empty · 类别列表，可为空",
    "ranking": "a list of names, best first · 名称列表，最佳在前",
    "boxes": "a list of (class, x, y, width, height, score) in pixels · 检测框列表（像素）",
    "mask": "rows of class codes, 255 for none · 逐像素类别编号，255 表示无",
}


def kit_name(scenario: Scenario) -> str:
    """Return the name of a starter kit's application."""
    return f"{scenario.name}-application"[:63].rstrip("-")


@dataclass(frozen=True)
class ApplicationRequest:
    """The choices for a new application, apart from its scenario."""

    supplier: str
    name: str | None = None
    """By default, the name of its folder."""
    synthetic: str | None = None
    """The synthetic sample to put beside it, if there is no public one."""
    runtime: Runtime = "python"


def draft_application(
    scenario: Scenario,
    contract: Contract,
    folder: Path,
    wanted: ApplicationRequest,
    start: FormTemplate | None = None,
    words: Mapping[str, object] = MappingProxyType({}),
) -> tuple[Path, ...]:
    """Write a new application for ``scenario`` into ``folder`` and return the files written.

    ``start``: how it starts out, if not as its form does; ``words``: what the files of ``start`` contain besides.

    Raises:
        InputError: ``folder`` exists and is not empty, the supplier is no short name, or no application of this form
            can answer the scenario.
    """
    if folder.exists() and any(folder.iterdir()):
        raise InputError("catalogue.folder_not_empty", folder=folder)
    form = start or form_for(contract, wanted.runtime)
    name, words = wanted.name or folder.name, {**_words(scenario, contract, wanted.runtime), **words}
    files = {
        MANIFEST: _manifest(scenario, _name(name), wanted.supplier, form),
        **{file: template.format(**words) for file, template in form.files.items()},
        "README.md": _readme(scenario, name, wanted.synthetic, form),
    }
    build_document(Application, parse_yaml(files[MANIFEST].encode(), MANIFEST))
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in files.items():
        (folder / file).write_text(content, "utf-8")
    return tuple(folder / file for file in files)


def form_for(contract: Contract, runtime: Runtime) -> FormTemplate:
    """Return the template of that form; raises `InputError` if no application of it could answer the contract."""
    if runtime not in forms_for(contract):
        raise InputError("catalogue.form_does_not_fit", runtime=runtime, kind=contract.prediction.kind)
    return FORM_TEMPLATES[runtime]


def forms_for(contract: Contract) -> tuple[Runtime, ...]:
    """Return the forms whose applications can take these features and give such answers."""
    kind, types = contract.prediction.kind, {field.data_type for field in contract.features}
    return tuple(runtime for runtime, form in FORM_TEMPLATES.items() if kind in form.kinds and types <= form.types)


def _manifest(scenario: Scenario, name: str, supplier: str, form: FormTemplate) -> str:
    titles = {spoken: json.dumps(title, ensure_ascii=False) for spoken, title in _titles(scenario).items()}
    quoted = json.dumps(make_visible(supplier))
    return MANIFEST_TEMPLATE.format(name=name, supplier=quoted, scenario=scenario.name, form=form.manifest, **titles)


def _readme(scenario: Scenario, name: str, synthetic: str | None, form: FormTemplate) -> str:
    sample = {"sample": synthetic or f"{name}-sample.csv", **(SYNTHETIC_SAMPLE if synthetic else PUBLIC_SAMPLE)}
    if any(field.data_type in ARRAYS for field in scenario.feature_fields):
        sample = {part: words + ARRAYS_IN_SAMPLE.get(part, "") for part, words in sample.items()}
    steps = {
        f"{step}_{language}": localized(words, language)
        for step, words in (("opening", form.opening), ("first", form.first), ("needs", form.needs))
        for language in LANGUAGES
    }
    return README_TEMPLATE.format(**_titles(scenario), scenario=scenario.name, **sample, **steps)


def _titles(scenario: Scenario) -> dict[str, str]:
    """Return the title of a new application in each language: it follows the scenario's title."""
    return {
        "title_en": f"Application for: {_one_line(localized(scenario.title, 'en'))[:_LONGEST_TITLE]}",
        "title_zh": f"{_one_line(localized(scenario.title, 'zh'))[:_LONGEST_TITLE]}：应用",
    }


def _words(scenario: Scenario, contract: Contract, runtime: Runtime) -> dict[str, object]:
    """Return what programs contain of the scenario: one-line comments, and values in Python's spelling."""
    names = [field.name for field in contract.features]
    kinds = ["DOUBLE" if field.data_type in _NUMBERS else "STRING" for field in contract.features]
    return {
        "scenario": scenario.name,
        "columns": "\n".join(f"#   {_one_line(_describe(field, runtime))}" for field in contract.features),
        "answer": _one_line(_answer(scenario, contract)),
        "constant": _constant(contract),
        "inputs": "\n".join(f"    {name!r}: TensorProto.{kind}," for name, kind in zip(names, kinds, strict=True)),
        "columns_of_answer": _columns_of_answer(contract),
        "features": names,
        "count": len(names),
        "answers": [0.0] if contract.prediction.kind == "value" else list(contract.prediction.classes),
        "packages": packages_of("sklearn"),
        "dummy": "DummyRegressor" if contract.prediction.kind == "value" else "DummyClassifier",
    }


def _one_line(words: str) -> str:
    """Return the scenario's words on one line, so that they stay inside a comment whatever line ends they contain."""
    return make_visible(" ".join(words.split()))[:_LONGEST_COMMENT]


def _name(wanted: str) -> str:
    letters = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in wanted.lower())
    return letters.strip("-")[:60] or "application"


def _describe(field: Field, runtime: Runtime) -> str:
    kind = _KINDS.get(field.data_type, "text (None: missing) · 文本（None：缺失）")
    if field.data_type in ARRAYS:
        given, given_zh = _ARRAYS_GIVEN.get(runtime, ("", ""))
        kind = kind.replace("{given}", given).replace("{given_zh}", given_zh)
    unit = f" [{field.unit}]" if field.unit else f" [{field.rate} Hz]" if field.rate else ""
    described = dict.fromkeys(localized(field.description, language) for language in LANGUAGES)
    return " · ".join([f"{field.name}{unit}: {kind}", *filter(None, described)])


def _answer(scenario: Scenario, contract: Contract) -> str:
    prediction = contract.prediction
    if prediction.kind == "label":
        return f"one of · 以下之一：{', '.join(repr(label) for label in prediction.classes)}"
    if prediction.kind in _ANSWERS:
        named = f"; {', '.join(map(repr, prediction.classes))}" if prediction.classes else ""
        return _ANSWERS[prediction.kind] + named
    if prediction.kind == "probability":
        return f"the probability of · 概率（0–1），对应类别：{scenario.positive!r}"
    return f"{scenario.data.target}{f' in {prediction.unit}' if prediction.unit else ''}, a number · 数值"


def _constant(contract: Contract) -> str:
    prediction = contract.prediction
    if prediction.kind == "label":
        return repr(prediction.classes[0])
    if prediction.is_spelled:
        shares = _columns_of_answer(contract) if prediction.kind == "probabilities" else []
        return {"text": '""', "mask": "None"}.get(prediction.kind, repr(shares))
    return {"probability": "0.5", "interval": "(0.0, 0.0)"}.get(prediction.kind, "0.0")


def _columns_of_answer(contract: Contract) -> list[object]:
    """Return the constant answer as columns of a model's output."""
    prediction = contract.prediction
    constants: dict[str, list[object]] = {
        "label": list(prediction.classes[:1]),
        "probability": [0.5],
        "probabilities": [1 / len(prediction.classes)] * len(prediction.classes) if prediction.classes else [],
        "interval": [0.0, 0.0],
        "labels": [0] * len(prediction.classes),
        "text": [""],
        "ranking": [""],
    }
    return constants.get(prediction.kind, [0.0])
