"""A new application's folder, pre-filled from a scenario's contract: it runs as it is, for its supplier to improve."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from pilotbase.catalogue.applications import MANIFEST
from pilotbase.catalogue.form_templates import (
    ARRAYS_IN_SAMPLE,
    FORM_TEMPLATES,
    MANIFEST_TEMPLATE,
    PUBLIC_SAMPLE,
    README_TEMPLATE,
    SYNTHETIC_SAMPLE,
    FormTemplate,
)
from pilotbase.documents.application import Application, Runtime
from pilotbase.documents.base import localized
from pilotbase.documents.contract import ARRAYS, Contract, DataType, Field
from pilotbase.documents.errors import InputError
from pilotbase.documents.extras import packages_of
from pilotbase.documents.loading import build_document
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.texts import LANGUAGES
from pilotbase.documents.visible_text import make_visible
from pilotbase.documents.yaml_reader import parse_yaml

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
    scenario: Scenario, contract: Contract, folder: Path, wanted: ApplicationRequest
) -> tuple[Path, ...]:
    """Write a new application for ``scenario`` into ``folder`` and return the files written.

    Raises:
        InputError: ``folder`` exists and is not empty, the supplier is no short name, or no application of this form
            can answer the scenario.
    """
    if folder.exists() and any(folder.iterdir()):
        raise InputError("catalogue.folder_not_empty", folder=folder)
    form = form_for(contract, wanted.runtime)
    name, words = wanted.name or folder.name, _words(scenario, contract, wanted.runtime)
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
        for step, words in (("first", form.first), ("needs", form.needs))
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
        return {"text": '""', "mask": "None"}.get(prediction.kind, "[]")
    return {"probability": "0.5", "interval": "(0.0, 0.0)"}.get(prediction.kind, "0.0")


def _columns_of_answer(contract: Contract) -> list[object]:
    """Return the constant answer as columns of a model's output."""
    prediction = contract.prediction
    constants: dict[str, list[object]] = {
        "label": list(prediction.classes[:1]),
        "probability": [0.5],
        "interval": [0.0, 0.0],
        "labels": [0] * len(prediction.classes),
        "text": [""],
        "ranking": [""],
    }
    return constants.get(prediction.kind, [0.0])
