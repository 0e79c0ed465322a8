"""A new application's folder, pre-filled from a scenario's contract: it runs as it stands, and is to be made better."""

from __future__ import annotations

import json
from pathlib import Path

from pilotbase.catalogue.applications import MANIFEST
from pilotbase.documents.application import DEFAULT_REQUIREMENTS, Application
from pilotbase.documents.base import localized
from pilotbase.documents.contract import Contract, DataType, Field
from pilotbase.documents.errors import InputError
from pilotbase.documents.loading import build_document
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.visible_text import make_visible
from pilotbase.documents.yaml_reader import parse_yaml

_MANIFEST = """\
document: application/1
name: {name}
version: 0.1.0
title: {{en: "{name}", zh: "{name}"}}
supplier: {{organisation: {supplier}, contact: ""}}
licence: Apache-2.0
scenario: {scenario}
entry_point: app:predict          # module:function in this folder
requirements: requirements.lock   # name==version --hash=sha256:... lines; may stay empty
resources: {{memory: 256 MiB, threads: 1}}
model_card:
  summary: {{en: "Say in one sentence what it does.", zh: "用一句话说明它做什么。"}}
  # training_data: {{en: "Public sample of {scenario}.", zh: "{scenario} 的公开样本。"}}
  # Until these three are filled in, the design section of the report says that the model card is incomplete.
  # limitations: {{en: "Where it must not be used.", zh: "不得用于何处。"}}
  # human_oversight: {{en: "Who decides when it abstains (answers None).", zh: "弃权（返回 None）时由谁决定。"}}
"""

_PROGRAM = '''\
"""Application for the scenario {scenario}."""

# Columns of a batch:
{columns}
#
# Answer: {answer}


def predict(batch):
    """Answer one batch: a list or array with one entry a case, in the order of the batch.

    ``batch[name]`` is a column and ``batch.rows`` the number of cases. With numpy in requirements.lock columns are
    1-D arrays and ``batch.matrix(names)`` is their (rows, columns) float array; without it they are plain lists.
    None abstains: a person decides, and the case counts as not answered.
    """
    return [{constant}] * batch.rows
'''
_LONGEST_COMMENT = 300

_KINDS = {
    DataType.FLOAT: "number (NaN: missing)",
    DataType.INTEGER: "whole number (with missing values in the scenario: float, NaN)",
    DataType.BOOLEAN: "true or false (with missing values in the scenario: float, NaN)",
}


def draft_application(
    scenario: Scenario, contract: Contract, folder: Path, supplier: str, name: str | None = None
) -> tuple[Path, ...]:
    """Write a new application for ``scenario`` into ``folder`` and return the files written.

    Raises:
        InputError: ``folder`` exists and is not empty, or ``supplier`` is no short name.
    """
    if folder.exists() and any(folder.iterdir()):
        raise InputError("catalogue.folder_not_empty", folder=folder)
    files = {
        MANIFEST: _manifest(scenario, _name(name or folder.name), supplier),
        "app.py": _program(scenario, contract),
        DEFAULT_REQUIREMENTS: "",
    }
    build_document(Application, parse_yaml(files[MANIFEST].encode(), MANIFEST))
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_text(content, "utf-8")
    return tuple(folder / name for name in files)


def _manifest(scenario: Scenario, name: str, supplier: str) -> str:
    return _MANIFEST.format(name=name, supplier=json.dumps(make_visible(supplier)), scenario=scenario.name)


def _program(scenario: Scenario, contract: Contract) -> str:
    return _PROGRAM.format(
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
    kind = _KINDS.get(field.data_type, "text (None: missing)")
    unit = f" [{field.unit}]" if field.unit else ""
    description = localized(field.description)
    return f"{field.name}{unit}: {kind}{'. ' + description if description else ''}"


def _answer(scenario: Scenario, contract: Contract) -> str:
    prediction = contract.prediction
    if prediction.kind == "label":
        return f"one of {', '.join(repr(label) for label in prediction.classes)}."
    if prediction.kind == "probability":
        return f"the probability of {scenario.positive!r}, 0 to 1."
    return f"{scenario.data.target}{f' in {prediction.unit}' if prediction.unit else ''}, a number."


def _constant(contract: Contract) -> str:
    prediction = contract.prediction
    if prediction.kind == "label":
        return repr(prediction.classes[0])
    return "0.5" if prediction.kind == "probability" else "0.0"
