"""A new application's folder, pre-filled from a scenario's contract: it runs as it stands, and is to be made better."""

from __future__ import annotations

import json
from pathlib import Path

from pilotbase.catalogue.application_templates import (
    MANIFEST_TEMPLATE,
    PROGRAM_TEMPLATE,
    PUBLIC_SAMPLE,
    README_TEMPLATE,
    SYNTHETIC_SAMPLE,
)
from pilotbase.catalogue.applications import MANIFEST
from pilotbase.documents.application import DEFAULT_REQUIREMENTS, Application
from pilotbase.documents.base import localized
from pilotbase.documents.contract import Contract, DataType, Field
from pilotbase.documents.errors import InputError
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
    DataType.IMAGE: "array of bytes (height, width, channels) (None: missing) · 图像数组（None：缺失）",
    DataType.AUDIO: "array of samples (None: missing) · 采样数组（None：缺失）",
    DataType.BOOLEAN: f"true or false {_FLOAT_IF_MISSING.format(kind='真或假')}",
}


_ANSWERS = {
    "text": "a text · 文本",
    "interval": "two numbers, lower and upper · 下限与上限两个数",
    "labels": "a list of classes, maybe empty · 类别列表，可为空",
    "ranking": "a list of names, best first · 名称列表，最佳在前",
    "boxes": "a list of (class, x, y, width, height, score) in pixels · 检测框列表（像素）",
    "mask": "rows of class codes, 255 for none · 逐像素类别编号，255 表示无",
}


def kit_name(scenario: Scenario) -> str:
    """Return what the application of a starter kit is called."""
    return f"{scenario.name}-application"[:63].rstrip("-")


def draft_application(
    scenario: Scenario,
    contract: Contract,
    folder: Path,
    supplier: str,
    name: str | None = None,
    synthetic: str | None = None,
) -> tuple[Path, ...]:
    """Write a new application for ``scenario`` into ``folder`` and return the files written.

    ``synthetic``: the synthetic sample beside it, where there is no public one.

    Raises:
        InputError: ``folder`` exists and is not empty, or ``supplier`` is no short name.
    """
    if folder.exists() and any(folder.iterdir()):
        raise InputError("catalogue.folder_not_empty", folder=folder)
    wanted = name or folder.name
    sample = {"sample": synthetic or f"{wanted}-sample.csv", **(SYNTHETIC_SAMPLE if synthetic else PUBLIC_SAMPLE)}
    files = {
        MANIFEST: _manifest(scenario, _name(wanted), supplier),
        "app.py": _program(scenario, contract),
        DEFAULT_REQUIREMENTS: "",
        "README.md": README_TEMPLATE.format(**_titles(scenario), scenario=scenario.name, **sample),
    }
    build_document(Application, parse_yaml(files[MANIFEST].encode(), MANIFEST))
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in files.items():
        (folder / file).write_text(content, "utf-8")
    return tuple(folder / file for file in files)


def _manifest(scenario: Scenario, name: str, supplier: str) -> str:
    titles = {spoken: json.dumps(title, ensure_ascii=False) for spoken, title in _titles(scenario).items()}
    quoted = json.dumps(make_visible(supplier))
    return MANIFEST_TEMPLATE.format(name=name, supplier=quoted, scenario=scenario.name, **titles)


def _titles(scenario: Scenario) -> dict[str, str]:
    """Return what a new application is called: after the scenario's title, in each language."""
    return {
        "title_en": f"Application for: {_one_line(localized(scenario.title, 'en'))[:_LONGEST_TITLE]}",
        "title_zh": f"{_one_line(localized(scenario.title, 'zh'))[:_LONGEST_TITLE]}：应用",
    }


def _program(scenario: Scenario, contract: Contract) -> str:
    return PROGRAM_TEMPLATE.format(
        scenario=scenario.name,
        columns="\n".join(f"#   {_one_line(_describe(field))}" for field in contract.features),
        answer=_one_line(_answer(scenario, contract)),
        constant=_constant(contract),
    )


def _one_line(words: str) -> str:
    """Return the scenario's words so that they stay inside a comment: no line ends in them, however it is spelled."""
    return make_visible(" ".join(words.split()))[:_LONGEST_COMMENT]


def _name(wanted: str) -> str:
    letters = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in wanted.lower())
    return letters.strip("-")[:60] or "application"


def _describe(field: Field) -> str:
    kind = _KINDS.get(field.data_type, "text (None: missing) · 文本（None：缺失）")
    unit = f" [{field.unit}]" if field.unit else ""
    described = dict.fromkeys(localized(field.description, language) for language in LANGUAGES)
    return " · ".join([f"{field.name}{unit}: {kind}", *filter(None, described)])


def _answer(scenario: Scenario, contract: Contract) -> str:
    prediction = contract.prediction
    if prediction.kind == "label":
        return f"one of · 以下之一：{', '.join(repr(label) for label in prediction.classes)}"
    if prediction.kind in _ANSWERS:
        return _ANSWERS[prediction.kind]
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
