"""A new application's folder, pre-filled from a scenario's contract: it runs as it is, for its supplier to improve.

How each form starts out, programs, manifest and README are files of `starters`, as `str.format` reads them: comments
are in English and Chinese. The scenario's words appear only as comments or values, never as code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from types import MappingProxyType

from pilotbase.catalogue.applications import MANIFEST
from pilotbase.documents.application import DEFAULT_REQUIREMENTS, WITH_CODE, Application, Runtime
from pilotbase.documents.base import Localized, Part, localized, slug
from pilotbase.documents.contract import ARRAYS, TARGETS, Contract, DataType, Field
from pilotbase.documents.errors import InputError
from pilotbase.documents.extras import packages_of
from pilotbase.documents.loading import build_document
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.texts import LANGUAGES, make_visible
from pilotbase.documents.world import Tool, World
from pilotbase.documents.yaml_reader import parse_yaml

_LONGEST_COMMENT = 300
_LONGEST_TITLE = 150
SAMPLE_SUFFIX, WORLD_SUFFIX = "-sample.csv", "-world"
"""What is put beside an application's folder is called: the folder's name and one of these."""
_NUMBERS = (DataType.FLOAT, DataType.INTEGER, DataType.BOOLEAN)


class FormTemplate(Part):
    """The start of a form, whose supplier improves ``program``."""

    manifest: str
    program: str | None
    """A file made of ``template``; None: the folder holds none."""
    template: str = ""
    """By default, the template of the form's name."""
    opening: Localized | None = None
    """What its README says of it, if not that it is a beginning."""
    first: Localized
    """What its README says to do first."""
    makes: str | None = None
    """The model that the program writes when its supplier runs it; None: the folder runs as it is."""
    arrays: Localized = Localized(en="", zh="")
    """How an image or a sound reaches the program."""
    kinds: frozenset[str] = frozenset(TARGETS)
    """Kinds of answers that it can give."""
    types: frozenset[DataType] = frozenset(DataType)
    """Types of features that it can be given."""


class _Starters(Part):
    """``forms.yaml`` of this folder: the forms, and what programs and README say."""

    forms: dict[Runtime, FormTemplate]
    acting: FormTemplate
    """In a world: of an application that acts."""
    opening: Localized
    needs: dict[str, Localized]
    sample: dict[str, Localized]
    columns: dict[str, str]
    answers: dict[str, str]


def starter(name: str) -> str:
    """Return a file of `starters`."""
    return resources.files("pilotbase.catalogue").joinpath("starters", name).read_text("utf-8")


_STARTERS = _Starters.model_validate(parse_yaml(starter("forms.yaml").encode(), "forms.yaml").value)
FORM_TEMPLATES: Mapping[Runtime, FormTemplate] = _STARTERS.forms
"""Forms that a new application may have."""


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
    world: World | None = None
    """The practice copy that is put beside it, of the world in which it acts."""


def draft_application(
    scenario: Scenario,
    contract: Contract,
    folder: Path,
    wanted: ApplicationRequest,
    start: FormTemplate | None = None,
    words: Mapping[str, object] = MappingProxyType({}),
) -> tuple[Path, ...]:
    """Write a new application for ``scenario`` into ``folder`` and return the files written.

    ``start``: how it starts out, if not as its form does; ``words``: what its program contains besides.

    Raises:
        InputError: ``folder`` exists and is not empty, the supplier is no short name, or no application of this form
            can answer the scenario.
    """
    if folder.exists() and any(folder.iterdir()):
        raise InputError("catalogue.folder_not_empty", folder=folder)
    form = start or form_for(contract, wanted.runtime)
    name = wanted.name or folder.name
    title = _one_line(name)[:_LONGEST_TITLE]
    files = {MANIFEST: _manifest(scenario, slug(name, "application"), title, wanted.supplier, form)}
    if form.program is not None:
        program = starter(f"{form.template or wanted.runtime}.txt").replace("{about_columns}\n", starter("columns.txt"))
        tools = "" if wanted.world is None else "\n".join(map(_tool, wanted.world.tools))
        files[form.program] = program.format(**{**_words(scenario, contract, form), "tools": tools, **words})
    if wanted.runtime in WITH_CODE:
        files[DEFAULT_REQUIREMENTS] = ""
    files["README.md"] = _readme(scenario, name, wanted, form)
    build_document(Application, parse_yaml(files[MANIFEST].encode(), MANIFEST))
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in files.items():
        (folder / file).write_text(content, "utf-8")
    return tuple(folder / file for file in files)


def form_for(contract: Contract, runtime: Runtime) -> FormTemplate:
    """Return the template of that form; raises `InputError` if no application of it could answer the contract."""
    if runtime not in forms_for(contract):
        raise InputError("catalogue.form_does_not_fit", runtime=runtime, kind=contract.prediction.kind)
    return _STARTERS.acting if contract.prediction.kind == "episode" else FORM_TEMPLATES[runtime]


def forms_for(contract: Contract) -> tuple[Runtime, ...]:
    """Return the forms whose applications can take these features and give such answers."""
    kind, types = contract.prediction.kind, {field.data_type for field in contract.features}
    if kind == "episode":
        return ("python",)
    return tuple(runtime for runtime, form in FORM_TEMPLATES.items() if kind in form.kinds and types <= form.types)


def _manifest(scenario: Scenario, name: str, title: str, supplier: str, form: FormTemplate) -> str:
    quoted = {"supplier": json.dumps(make_visible(supplier)), "title": json.dumps(title, ensure_ascii=False)}
    return starter("manifest.txt").format(name=name, scenario=scenario.name, form=form.manifest, **quoted)


def _readme(scenario: Scenario, name: str, wanted: ApplicationRequest, form: FormTemplate) -> str:
    known, synthetic = _STARTERS.sample, wanted.synthetic
    about = [known["world" if wanted.world else "synthetic" if synthetic else "public"]]
    about += [known["arrays"]] if any(field.data_type in ARRAYS for field in scenario.feature_fields) else []
    needs = _STARTERS.needs["lock" if wanted.runtime in WITH_CODE else "no_lock"]
    opening = form.opening or _STARTERS.opening
    said = {
        f"{name}_{language}": "".join(localized(one, language) for one in words)
        for name, words in (("opening", [opening]), ("sample", about), ("first", [form.first]), ("needs", [needs]))
        for language in LANGUAGES
    }
    place = f"{name}{WORLD_SUFFIX}" if wanted.world else synthetic or f"{name}{SAMPLE_SUFFIX}"
    return starter("readme.txt").format(title=_one_line(name), scenario=scenario.name, sample=place, **said)


def _words(scenario: Scenario, contract: Contract, form: FormTemplate) -> dict[str, object]:
    """Return what programs contain of the scenario: one-line comments, and values in Python's spelling."""
    names = [field.name for field in contract.features]
    kinds = ["DOUBLE" if field.data_type in _NUMBERS else "STRING" for field in contract.features]
    return {
        "scenario": scenario.name,
        "columns": "\n".join(f"#   {_one_line(_describe(field, form))}" for field in contract.features),
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


def _describe(field: Field, form: FormTemplate) -> str:
    kind = _STARTERS.columns.get(field.data_type, _STARTERS.columns["other"])
    for language in LANGUAGES:
        kind = kind.replace(f"{{{language}}}", localized(form.arrays, language))
    unit = f" [{field.unit}]" if field.unit else f" [{field.rate} Hz]" if field.rate else ""
    described = dict.fromkeys(localized(field.description, language) for language in LANGUAGES)
    return " · ".join([f"{field.name}{unit}: {kind}", *filter(None, described)])


def _tool(tool: Tool) -> str:
    """Return a tool as one line of comment: its name, its arguments, what it says of itself in each language."""
    described = dict.fromkeys(localized(tool.description, language) for language in LANGUAGES)
    arguments = ", ".join(tool.input_schema.get("properties", {}))
    return f"#   {_one_line(' · '.join([f'{tool.name}({arguments})', *filter(None, described)]))}"


def _answer(scenario: Scenario, contract: Contract) -> str:
    prediction = contract.prediction
    if prediction.kind == "label":
        return f"one of · 以下之一：{', '.join(repr(label) for label in prediction.classes)}"
    if prediction.kind in _STARTERS.answers:
        named = f"; {', '.join(map(repr, prediction.classes))}" if prediction.classes else ""
        return _STARTERS.answers[prediction.kind] + named
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
