"""A drafted application holds the scenario's words as comments and quoted values, never as code."""

import ast
import base64
import io
import re

import numpy as np
import pytest

from pilotbase.catalogue.application_draft import FORM_TEMPLATES, ApplicationRequest, draft_application
from pilotbase.catalogue.applications import read_application
from pilotbase.cli.application import StartingForm
from pilotbase.documents.application import Application
from pilotbase.documents.contract import Contract, DataType, Field, Prediction
from pilotbase.documents.errors import InputError
from pilotbase.documents.loading import build_document
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.yaml_reader import parse_yaml
from pilotbase.protocols.array_cells import cell_of
from tests.trial.conftest import SCENARIO

HOSTILE = [
    'x"""\nimport os',
    "x'''\r\nimport os",
    "a\u2028import os",
    "a\x0cimport os\\",
    "{constant}",
    "# coding: utf-7",
]


def contract(words: str) -> Contract:
    field = {"name": words, "dataType": "sc:Float", "unit": words, "description": words}
    prediction = {"kind": "label", "classes": [words, "other"]}
    return Contract.model_validate({"features": [field], "prediction": prediction})


@pytest.fixture
def scenario() -> Scenario:
    return build_document(Scenario, parse_yaml(SCENARIO.format(cases=10).encode(), "scenario.yaml"))


@pytest.mark.parametrize("words", HOSTILE)
def test_words_of_the_scenario_stay_words(scenario, tmp_path, words):
    draft_application(scenario, contract(words), tmp_path / "a", ApplicationRequest("acme"))
    tree = ast.parse((tmp_path / "a" / "app.py").read_bytes())
    assert [type(node) for node in tree.body] == [ast.Expr, ast.FunctionDef]
    answer = tree.body[1].body[-1].value.left.elts[0]
    assert ast.literal_eval(answer) == words
    assert read_application(tmp_path / "a").application.supplier.organisation == "acme"


@pytest.mark.parametrize(("folder", "name"), [("水泵", "shui-beng"), ("My_app 2", "my-app-2"), ("…", "application")])
def test_it_is_called_as_its_folder(scenario, tmp_path, folder, name):
    draft_application(scenario, contract("torque"), tmp_path / folder, ApplicationRequest("acme"))
    written = read_application(tmp_path / folder).application
    assert (written.name, written.title) == (name, folder)


@pytest.mark.parametrize("words", HOSTILE)
@pytest.mark.parametrize("runtime", sorted(set(FORM_TEMPLATES) - {"python"}))
def test_words_stay_words_in_every_form(scenario, tmp_path, words, runtime):
    """The program of a form is the same whatever the words are, but for texts in it."""

    def shape(words: str, place: str) -> str:
        draft_application(scenario, contract(words), tmp_path / place, ApplicationRequest("acme", runtime=runtime))
        tree = ast.parse((tmp_path / place / FORM_TEMPLATES[runtime].program).read_bytes())
        constants = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and node.value == words]
        assert constants, "it names the feature or the class"
        for one in constants:
            one.value = ""
        return ast.dump(tree)

    assert shape(words, "a") == shape("harmless", "b")


@pytest.mark.parametrize(
    ("runtime", "changed"),
    [
        ("skops", {"features": [{"name": "site", "dataType": "sc:Text"}]}),
        ("skops", {"prediction": {"kind": "text"}}),
        ("onnx", {"features": [{"name": "picture", "dataType": "sc:ImageObject"}]}),
        ("onnx", {"prediction": {"kind": "boxes", "classes": ["a"]}}),
    ],
)
def test_a_form_that_could_not_answer_is_refused_before_anything_is_written(scenario, tmp_path, runtime, changed):
    asked = Contract.model_validate(contract("torque").to_json_value() | changed)
    with pytest.raises(InputError) as refused:
        draft_application(scenario, asked, tmp_path / "a", ApplicationRequest("acme", runtime=runtime))
    assert refused.value.code == "catalogue.form_does_not_fit" and not (tmp_path / "a").exists()
    draft_application(scenario, asked, tmp_path / "a", ApplicationRequest("acme", runtime="command"))


@pytest.mark.parametrize("supplier", ["acme, contact: x}", 'a"b', "a\nlicence: x", "\x85", "Acme"])
def test_a_supplier_that_is_no_short_name_is_refused_before_anything_is_written(scenario, tmp_path, supplier):
    with pytest.raises(InputError) as caught:
        draft_application(scenario, contract("pressure"), tmp_path / "a", ApplicationRequest(supplier))
    assert [issue.path for issue in caught.value.issues] == ["supplier.organisation"]
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("runtime", FORM_TEMPLATES)
def test_a_kit_speaks_both_languages_and_has_a_title_of_its_own(scenario, tmp_path, runtime):
    """Reports of two suppliers would be headed alike if a title were made of the scenario's."""
    wanted = ApplicationRequest("acme", 'The "mill" {stops}\n主轴报警😀', runtime=runtime)
    draft_application(scenario, contract("torque"), tmp_path / "a", wanted)
    made = build_document(Application, parse_yaml((tmp_path / "a" / "application.yaml").read_bytes(), "a"))
    assert made.title == 'The "mill" {stops} 主轴报警😀'
    assert made.runtime == runtime and made.model == FORM_TEMPLATES[runtime].makes
    for name in (FORM_TEMPLATES[runtime].program, "application.yaml", "README.md"):
        content = (tmp_path / "a" / name).read_text("utf-8")
        assert re.search("[一-鿿]", content) and re.search("[a-z]{4}", content), name
    assert "-sample.csv" in content and content.startswith(f"# {made.title}\n")


@pytest.mark.parametrize(
    ("runtime", "given"), [("python", "(shape, type, bytes)"), ("command", '{"shape", "type", "base64"}')]
)
def test_a_kit_of_images_says_how_they_are_given_and_which_classes_there_are(scenario, tmp_path, runtime, given):
    field = Field(name="image", dataType=DataType.IMAGE)
    asked = Contract(features=(field,), prediction=Prediction(kind="boxes", classes=("bolt", "nut")))
    data = scenario.data.model_copy(update={"fields": (*scenario.data.fields, field)})
    wanted = ApplicationRequest("acme", runtime=runtime)
    draft_application(scenario.model_copy(update={"data": data}), asked, tmp_path / "a", wanted)
    program = (tmp_path / "a" / FORM_TEMPLATES[runtime].program).read_text("utf-8")
    assert given in program and "'bolt', 'nut'" in program
    (code,) = set(re.findall("numpy.load[^`]+", (tmp_path / "a" / "README.md").read_text("utf-8")))
    pixels = np.arange(6, dtype=np.uint8).reshape(1, 2, 3)
    names = {"numpy": np, "io": io, "base64": base64, "cell": cell_of(pixels)}
    assert (eval(code, names) == pixels).all()


def test_the_command_line_offers_every_form_that_begins():
    assert {one.value for one in StartingForm} == set(FORM_TEMPLATES)
