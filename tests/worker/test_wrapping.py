"""Trained models wrapped: recognised by content, refused with what to do, and answering in a real rehearsal."""

import ast
import io
import json
import pickle
import subprocess
import sys
import zipfile

import joblib
import numpy as np
import onnx
import polars as pl
import pytest
from onnx import TensorProto, helper
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression

from pilotbase.documents.errors import InputError
from pilotbase.sandbox.box.locks import LockedRequirement
from pilotbase.worker.intake import wrapping
from pilotbase.worker.intake.wrapping import wrap_model
from tests.cli.test_command_line import run
from tests.trial.conftest import home, write_scenario  # noqa: F401 - fixtures

LIGHTGBM = (
    "tree\nversion=v4\nnum_class={classes}\nmax_feature_idx={last}\n"
    "objective={objective}\nfeature_names={names}\n\nTree=0\n"
)
XGBOOST = {
    "learner": {
        "feature_names": ["age", "pressure"],
        "gradient_booster": {"model": {"trees": [{"tree_param": {"num_feature": "9"}}]}},
        "learner_model_param": {"num_class": "0", "num_feature": "2"},
        "objective": {"name": "binary:logistic"},
    },
    "version": [3, 2, 0],
}
ROOM = ("load_seconds: 60, batch_seconds: 30, memory_bytes: 256 MiB", "load_seconds: 120, memory_bytes: 1 GiB")


def numeric(content: str) -> str:
    """The scenario without its text, and with room for libraries."""
    return content.replace("    - {name: site, dataType: sc:Text}\n", "").replace(*ROOM).replace("512 MiB", "2 GiB")


@pytest.fixture
def scenario(home, write_scenario):  # noqa: F811
    folder = write_scenario(change=numeric)
    cases = pl.read_csv(folder / "cases.csv").drop("site")
    cases.write_csv(folder / "cases.csv")
    return folder


@pytest.fixture
def no_index(monkeypatch):
    """What is locked without pip: each package at a version of its own."""
    asked = []

    def locked(wanted):
        asked.extend(one.requirement for one in wanted)
        return (LockedRequirement("numpy", "2.0", ("a" * 64,), 1),)

    monkeypatch.setattr(wrapping, "locked_for", locked)
    return asked


def ubjson(value) -> bytes:
    """The value as XGBoost writes UBJSON."""
    if isinstance(value, dict):
        return b"{" + b"".join(_sized(key) + ubjson(one) for key, one in value.items()) + b"}"
    if isinstance(value, list):
        return b"[#L" + len(value).to_bytes(8, "big") + b"".join(map(ubjson, value))
    return b"S" + _sized(value) if isinstance(value, str) else b"i" + bytes([value])


def _sized(words: str) -> bytes:
    return b"L" + len(words).to_bytes(8, "big") + words.encode()


def onnx_of(width, weights: str | None = None) -> bytes:
    rows = helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, width])
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 2])
    tensor = helper.make_tensor("w", TensorProto.FLOAT, [width, 2], np.zeros((width, 2)))
    if weights:
        tensor.ClearField("float_data")
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value=weights)
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "g", [rows], [out], [tensor])
    return helper.make_model(graph).SerializeToString()


def joblib_of(model, **how) -> bytes:
    joblib.dump(model, written := io.BytesIO(), **how)
    return written.getvalue()


def torch_of(*names) -> bytes:
    with zipfile.ZipFile(written := io.BytesIO(), "w") as archive:
        for name in names:
            archive.writestr(f"model/{name}", b"")
    return written.getvalue()


def fitted(columns=2):
    return LogisticRegression().fit(np.arange(2.0 * columns).reshape(2, columns), ["broken", "fine"])


def skops_of(columns) -> bytes:
    import skops.io  # it takes seconds to load

    return skops.io.dumps(fitted(columns))


KNOWN = {
    "onnx": lambda: onnx_of(2),
    "skops": lambda: skops_of(2),
    "sklearn": lambda: joblib_of(fitted()),
    "sklearn packed": lambda: joblib_of(fitted(), compress=3),
    "sklearn by xz": lambda: joblib_of(fitted(), compress="xz"),
    "sklearn old": lambda: pickle.dumps(fitted(), 2),
    "lightgbm": lambda: LIGHTGBM.format(classes=1, last=1, objective="binary sigmoid:1", names="age pressure").encode(),
    "xgboost": lambda: json.dumps(XGBOOST).encode(),
    "xgboost ubj": lambda: ubjson(XGBOOST),
    "torch": lambda: torch_of("code/model.py", "constants.pkl", "data.pkl"),
}


@pytest.mark.one_in(3)
@pytest.mark.parametrize("kind", KNOWN)
def test_a_model_is_recognised_by_its_content(scenario, tmp_path, no_index, kind):
    (tmp_path / "model.bin").write_bytes(KNOWN[kind]())
    wrapped = wrap_model(tmp_path / "model.bin", scenario, tmp_path / "app", "acme")
    assert wrapped.found.format == kind.split(" ")[0]
    assert run("application", "check", tmp_path / "app").exit_code == 0
    assert pl.read_csv(tmp_path / "app-sample.csv").columns == ["pressure", "age", "failure"]
    if kind.startswith("sklearn"):
        import sklearn

        assert f"scikit-learn=={sklearn.__version__}" in no_index
    if kind.startswith(("lightgbm", "xgboost")):
        program = (tmp_path / "app" / "app.py").read_text()
        assert "NAMES = ['age', 'pressure']" in program and "CLASSES = ['fine', 'broken']" in program
        assert wrapped.classes == ("fine", "broken")


class Own:
    pass


MAIN = b"\x80\x04\x8c\x08__main__\x94\x8c\x03Own\x94\x93\x94."
REFUSED = {
    "nothing known": (lambda: b"hello", "no model of a known format"),
    "too narrow onnx": (lambda: onnx_of(3), "takes 3 features; the scenario gives 2"),
    "too narrow skops": (lambda: skops_of(3), "takes 3 features"),
    "weights elsewhere": (lambda: onnx_of(2, "../w.bin"), "is not beside it"),
    "other columns": (
        lambda: LIGHTGBM.format(classes=1, last=1, objective="binary", names="age heat").encode(),
        "trained on the columns age, heat",
    ),
    "a value": (
        lambda: LIGHTGBM.format(classes=1, last=1, objective="regression", names="Column_0 Column_1").encode(),
        "objective regression, which cannot give a label",
    ),
    "three classes": (
        lambda: LIGHTGBM.format(classes=3, last=1, objective="multiclass num_class:3", names="f0 f1").encode(),
        "distinguishes 3 classes",
    ),
    "weights of torch": (lambda: torch_of("data.pkl", "data/0"), "written by torch.save"),
    "of the script": (lambda: MAIN, "__main__"),
    "no estimator": (lambda: pickle.dumps({"a": Own()}), "a pickle of no estimator"),
    "broken archive": (lambda: b"\x1f\x8bxxxx", "no model of a known format"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_answer_is_refused_with_what_to_do(scenario, tmp_path, no_index, what):
    content, said = REFUSED[what]
    (tmp_path / "model.bin").write_bytes(content())
    with pytest.raises(InputError) as refused:
        wrap_model(tmp_path / "model.bin", scenario, tmp_path / "app", "acme")
    assert said in refused.value.render("en") and "model.bin" in refused.value.render("zh")
    assert not (tmp_path / "app").exists()


def test_weights_beside_an_onnx_model_are_taken_along(scenario, tmp_path, no_index):
    (tmp_path / "model.onnx").write_bytes(onnx_of(2, "w.bin"))
    (tmp_path / "w.bin").write_bytes(b"weights")
    wrap_model(tmp_path / "model.onnx", scenario, tmp_path / "app", "acme")
    assert (tmp_path / "app" / "w.bin").read_bytes() == b"weights" and no_index == []


@pytest.mark.parametrize("lacking", [True, False])
def test_a_model_that_this_base_cannot_load_yet_says_what_to_install(scenario, tmp_path, monkeypatch, lacking):
    (tmp_path / "model.onnx").write_bytes(onnx_of(2))
    monkeypatch.setattr(wrapping, "missing_packages", lambda names: list(names) if lacking else [])
    lines = [one.render("en") for one in wrap_model(tmp_path / "model.onnx", scenario, tmp_path / "a", "me").lines()]
    assert any("First install: pip install 'onnxruntime" in one for one in lines) is lacking


def test_the_model_is_not_loaded_here(scenario, tmp_path, no_index):
    """A pickle that would run code as it is loaded names what it would call, and is copied as it is."""
    loaded = f"cos\nsystem\n(S'touch {tmp_path}/run'\ntR.".encode()
    content = b"\x80\x02csklearn.dummy\nDummyClassifier\n0" + loaded
    (tmp_path / "model.pkl").write_bytes(content)
    wrap_model(tmp_path / "model.pkl", scenario, tmp_path / "app", "acme")
    assert (tmp_path / "app" / "model.joblib").read_bytes() == content and not (tmp_path / "run").exists()


class Rows(dict):
    """A batch as the box gives it."""

    rows = 3

    def matrix(self, names):
        return np.column_stack([self[name] for name in names])


def answers_of(model, scenario, tmp_path, monkeypatch, change=lambda program: program):
    joblib.dump(model, tmp_path / "model.pkl")
    wrap_model(tmp_path / "model.pkl", scenario, tmp_path / "app", "acme")
    program = (tmp_path / "app" / "app.py").read_text()
    values = {"__file__": str(tmp_path / "app" / "app.py")}
    exec(compile(change(program), "app.py", "exec"), values)
    return values["predict"](Rows(pressure=np.array([0.0, 9.0, 9.0]), age=np.array([1.0, 2.0, 3.0])))


@pytest.mark.one_in(3)
@pytest.mark.parametrize("told", [("fine", "broken"), (0, 1), (False, True)])
def test_classes_are_those_of_the_contract_however_the_model_spells_them(
    scenario, tmp_path, monkeypatch, no_index, told
):
    """Where it counts them, the positive class is 1."""
    model = LogisticRegression().fit(np.array([[0.0, 1.0], [9.0, 2.0]]), np.array(told))
    assert answers_of(model, scenario, tmp_path, monkeypatch) == ["fine", "broken", "broken"]


def test_a_model_of_other_classes_says_so_when_it_is_loaded(scenario, tmp_path, monkeypatch, no_index):
    model = DummyClassifier().fit(np.zeros((2, 2)), ["ok", "bad"])
    with pytest.raises(ValueError, match=r"knows the classes .*'bad'.*the contract has .*'fine'"):
        answers_of(model, scenario, tmp_path, monkeypatch)


def test_words_of_the_scenario_stay_words(home, write_scenario, tmp_path, no_index):  # noqa: F811
    words = "x'''\\nimport os"
    folder = write_scenario(
        rows=40,
        change=lambda content: numeric(content).replace("unit: bar", f'unit: "{words}", description: "{words}"'),
    )
    (tmp_path / "model.txt").write_bytes(KNOWN["lightgbm"]())
    wrap_model(tmp_path / "model.txt", folder, tmp_path / "app", "acme")
    tree = ast.parse((tmp_path / "app" / "app.py").read_bytes())
    imported = [alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names]
    assert imported == ["lightgbm", "numpy"]


TRAIN = """
import csv, sys
import numpy as np
cases = list(csv.DictReader(open(sys.argv[1])))
X = np.array([[float(one["pressure"]), float(one["age"])] for one in cases])
y = np.array([one["failure"] for one in cases])
"""
TREE = "from sklearn.tree import DecisionTreeClassifier\nmodel = DecisionTreeClassifier(max_depth=3).fit(X, y)\n"
TRAINED = {
    "joblib": ((), f"{TREE}import joblib\njoblib.dump(model, sys.argv[2])"),
    "skops": ((), f"{TREE}import skops.io\nskops.io.dump(model, sys.argv[2])"),
    "lightgbm": (
        ("lightgbm",),
        "import lightgbm\n"
        "cases = lightgbm.Dataset(X, y == 'broken')\n"
        "lightgbm.train({'objective': 'binary'}, cases, 20).save_model(sys.argv[2])",
    ),
    "xgboost": (
        ("xgboost-cpu",),
        "import xgboost\n"
        "cases = xgboost.DMatrix(X[:, ::-1], y == 'broken', feature_names=['age', 'pressure'])\n"
        "xgboost.train({'objective': 'binary:logistic'}, cases, 20).save_model(sys.argv[2] + '.ubj')",
    ),
}


def rehearse(scenario, model, tmp_path) -> dict:
    told = run("application", "wrap", model, scenario, "--out", tmp_path / "app")
    if told.exit_code == 1 and "Packages could not be fetched" in told.stderr:
        pytest.skip(f"the package index cannot be reached: {told.stderr}")
    assert told.exit_code == 0, told.stderr
    assert f"pilotbase trial rehearse {scenario} {tmp_path / 'app'}" in told.stdout
    done = run("trial", "rehearse", scenario, tmp_path / "app", "--out", tmp_path / "out", "--json")
    assert done.exit_code == 0, done.stderr
    return {one["rule"]: one["estimate"] for one in json.loads(done.stdout)["criteria"]}


@pytest.mark.prove
@pytest.mark.parametrize("kind", TRAINED)
def test_a_wrapped_model_passes_a_rehearsal(scenario, tmp_path, kind):
    packages, program = TRAINED[kind]
    libraries, model = tmp_path / "libraries", tmp_path / "model"
    if packages:
        line = [sys.executable, "-m", "pip", "install", "-q", "--no-compile", "--target", libraries, *packages]
        if subprocess.run(line, check=False, capture_output=True).returncode:
            pytest.skip(f"the package index cannot be reached, or has no {packages}")
    path = {"PYTHONPATH": str(libraries)} if packages else {}
    line = [sys.executable, "-c", TRAIN + program, scenario / "cases.csv", model]
    subprocess.run(line, check=True, env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), **path})
    (written,) = [file for file in tmp_path.glob("model*") if file.is_file()]
    scored = rehearse(scenario, written, tmp_path)
    assert scored["accuracy >= 0.7"] > 0.9 and scored["recall(broken) >= 0.7"] > 0.9


@pytest.mark.prove
def test_a_wrapped_onnx_model_passes_a_rehearsal(scenario, tmp_path):
    """Scores of broken and fine: pressure, and what is against it."""
    rows = helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 2])
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 2])
    weights = helper.make_tensor("w", TensorProto.FLOAT, [2, 2], np.array([[1.0, 0.0], [0.0, 0.0]]))
    bias = helper.make_tensor("b", TensorProto.FLOAT, [2], [0.0, 6.0])
    nodes = [helper.make_node("MatMul", ["x", "w"], ["m"]), helper.make_node("Add", ["m", "b"], ["y"])]
    graph = helper.make_graph(nodes, "g", [rows], [out], [weights, bias])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "model.onnx")
    assert rehearse(scenario, tmp_path / "model.onnx", tmp_path)["accuracy >= 0.7"] > 0.9


BROKEN = {
    "ubjson": b"{L\x00\x00\x00\x00\x00\x00\x00\x07learner{L\x00\x00\x00\x00\x00\x00\x00\rfeature_names[#Z",
    "json": b'{"learner":{"feature_names":["\\u12"],"objective":{"name":"',
    "zip": b"PK\x03\x04" + b"\0" * 40 + b"PK\x05\x06" + b"\xff" * 18,
    "lightgbm": b"tree\nversion=v4\nmax_feature_idx=x\nnum_class=\n",
    "pickle": b"\x80\x04\x95",
    "joblib": b"\x78\x9c\x01",
    "onnx": b"\x3a\xff\xff\xff\xff\x0f",
    "empty": b"",
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_broken_model_is_told_and_never_crashes(content, scenario, tmp_path, no_index):
    (tmp_path / "model").write_bytes(content)
    with pytest.raises(InputError):
        wrap_model(tmp_path / "model", scenario, tmp_path / "out", "acme")
    assert not (tmp_path / "out").exists()
