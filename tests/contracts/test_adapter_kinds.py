"""Answers of other kinds than label, probability and value: what each form gives, and what it is refused for."""

import json

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from pilotbase.documents.application import Form
from pilotbase.documents.contract import WITH_CLASSES, Contract, DataType, Field, Prediction
from pilotbase.documents.limits import EndReason
from pilotbase.protocols.frames import FeatureBatch
from pilotbase.sandbox.box.ends import BoxEnded
from tests.contracts.adapter_boxes import start
from tests.contracts.adapter_cases import CLASSES, FEATURES, Trained, constant, contract, dump_skops, model

ONNX, SKOPS = Form(runtime="onnx", model="model.onnx"), Form(runtime="skops", model="model.skops")
COMMAND = Form(runtime="command", command=("python", "answer.py"))
ASKED = FeatureBatch({"pressure": np.array([1.5, 2.5]), "age": np.array([3, 4])}, 2)
REPEATING = """
import json, sys
for line in sys.stdin:
    print(json.dumps([{!r}] * json.loads(line)["rows"]), flush=True)
"""


def asking(kind: str) -> Contract:
    classes = CLASSES if kind in WITH_CLASSES else ()
    return contract("value").model_copy(update={"prediction": Prediction(kind=kind, classes=classes)})


def objects(*values: str) -> np.ndarray:
    return np.array(values, dtype=object)


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("interval", np.array([1.0, 2.5]), [[1.0, 2.5]] * 2),
        ("text", objects("all is 好"), ["all is 好"] * 2),
        ("labels", np.array([0, 1]), ['["fine"]'] * 2),
        ("probabilities", np.array([0.25, 0.75]), ["[0.25, 0.75]"] * 2),
        pytest.param("labels", np.array([False, False]), ["[]"] * 2, marks=pytest.mark.prove),
        ("ranking", objects("b", "a", ""), ['["b", "a"]'] * 2),
    ],
)
def test_an_onnx_model_answers_in_other_kinds(place, folder, kind, given, expected):
    (folder / "model.onnx").write_bytes(constant(given))
    with start(place, folder, ONNX, asking(kind)) as worker:
        assert worker.predict(ASKED).values.tolist() == expected


def seen(layout: list, kind: int, nodes: list, output: tuple[int, list]) -> bytes:
    """Return a model of one image or sound ``x`` that answers ``y``."""
    given = helper.make_tensor_value_info("x", kind, layout)
    return model(nodes, [given], [helper.make_tensor_value_info("y", *output)])


def cells(*values: np.ndarray | None) -> np.ndarray:
    column = np.empty(len(values), dtype=object)
    for row, value in enumerate(values):
        column[row] = value
    return column


def test_an_onnx_model_is_given_images_of_any_size_with_channels_first(place, folder):
    """It says the class whose channel is brighter; a missing image has no answer."""
    nodes = [
        helper.make_node("Slice", ["x", "from", "to", "axis"], ["two"]),
        helper.make_node("ReduceMean", ["two"], ["y"], axes=[2, 3], keepdims=0),
    ]
    weights = [numpy_helper.from_array(np.array([at]), name) for name, at in (("from", 0), ("to", 2), ("axis", 1))]
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, None, None])
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 2])
    (folder / "model.onnx").write_bytes(model(nodes, [given], [output], weights))
    bright = np.zeros((4, 6, 3), dtype=np.uint8)
    bright[..., 1] = 200
    dark = np.zeros((2, 2, 3), dtype=np.uint8)
    dark[..., 0] = 9
    asked = asking("label").model_copy(update={"features": (Field(name="picture", dataType=DataType.IMAGE),)})
    with start(place, folder, ONNX, asked) as worker:
        answers = worker.predict(FeatureBatch({"picture": cells(bright, None, dark)}, 3))
        assert answers.labels(CLASSES) == ["fine", None, "broken"]


@pytest.mark.prove
def test_an_onnx_model_answers_with_masks_and_is_given_sounds(place, folder):
    last = [
        helper.make_node("ReduceMax", ["x"], ["brightest"], axes=[3], keepdims=0),
        helper.make_node("Cast", ["brightest"], ["y"], to=TensorProto.UINT8),
    ]
    pixels = seen([1, None, None, 3], TensorProto.FLOAT, last, (TensorProto.UINT8, [1, None, None]))
    (folder / "model.onnx").write_bytes(pixels)
    picture = np.array([[[0, 1, 0], [0, 0, 0]]], dtype=np.uint8)
    asked = asking("mask").model_copy(update={"features": (Field(name="picture", dataType=DataType.IMAGE),)})
    with start(place, folder, ONNX, asked) as worker:
        (spelled,) = worker.predict(FeatureBatch({"picture": cells(picture)}, 1)).values
    assert json.loads(spelled) == {"size": [1, 2], "runs": [1, 1, 0, 1]}
    loudest = [helper.make_node("ReduceMax", ["x"], ["y"], axes=[1])]
    sound = seen([1, None], TensorProto.DOUBLE, loudest, (TensorProto.DOUBLE, [1, 1]))
    (folder / "model.onnx").write_bytes(sound)
    asked = asking("value").model_copy(update={"features": (Field(name="sound", dataType=DataType.AUDIO),)})
    with start(place, folder, ONNX, asked) as worker:
        sounds = cells(np.array([0.25, -0.5], dtype=np.float32), np.array([0.5], dtype=np.float32))
        assert worker.predict(FeatureBatch({"sound": sounds}, 2)).values.tolist() == [0.25, 0.5]


@pytest.mark.prove
def test_a_model_of_scikit_learn_answers_with_intervals_and_label_sets(place, folder):
    from sklearn.dummy import DummyClassifier
    from sklearn.linear_model import LinearRegression

    points = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
    dump_skops(LinearRegression().fit(points, [[0.0, 1.0], [1.0, 2.0], [2.0, 3.0]]), folder / "model.skops")
    with start(place, folder, SKOPS, asking("interval")) as worker:
        np.testing.assert_allclose(worker.predict(ASKED).values, [[7.5, 8.5], [10.5, 11.5]])
    both = DummyClassifier(strategy="constant", constant=[1, 1]).fit(points, [[1, 0], [0, 1], [1, 1]])
    dump_skops(both, folder / "model.skops")
    with start(place, folder, SKOPS, asking("labels")) as worker:
        assert worker.predict(ASKED).values.tolist() == ['["broken", "fine"]'] * 2
    dump_skops(DummyClassifier().fit(points + points[:1], ["fine"] * 3 + ["broken"]), folder / "model.skops")
    with start(place, folder, SKOPS, asking("probabilities")) as worker:
        assert [json.loads(one) for one in worker.predict(ASKED).values] == [[0.25, 0.75]] * 2


def trees(name):
    """Return a model that is not trained yet."""
    from sklearn import calibration, ensemble, linear_model, neighbors, neural_network, pipeline, preprocessing, tree

    if name == "histogram":
        return pipeline.make_pipeline(
            preprocessing.StandardScaler(), ensemble.HistGradientBoostingRegressor(max_iter=5)
        )
    one = tree.DecisionTreeClassifier(random_state=0)
    return {
        "forest": ensemble.RandomForestClassifier(5, random_state=0),
        "extra": ensemble.ExtraTreesRegressor(5, random_state=0),
        "boosted": ensemble.GradientBoostingClassifier(n_estimators=5),
        "tree": one,
        "histogram classes": ensemble.HistGradientBoostingClassifier(max_iter=5),
        "voting": ensemble.VotingClassifier([("a", linear_model.LogisticRegression()), ("b", one)]),
        "neighbours": neighbors.KNeighborsClassifier(3),
        "network": neural_network.MLPClassifier(max_iter=5, random_state=0),
        "calibrated": calibration.CalibratedClassifierCV(one),
    }[name]


KINDS = (
    "forest",
    "histogram",
    "extra",
    "boosted",
    "tree",
    "histogram classes",
    "voting",
    "neighbours",
    "network",
    "calibrated",
)


@pytest.mark.prove
@pytest.mark.parametrize("name", KINDS)
@pytest.mark.filterwarnings("ignore")
def test_trees_and_their_like_answer_as_they_do_outside(place, folder, name):
    random = np.random.default_rng(0)
    points = random.uniform(0, 5, (80, 2))
    fitted = trees(name).fit(points, (points.sum(axis=1) > 5).astype(int))
    dump_skops(fitted, folder / "model.skops")
    expected = fitted.predict([[1.5, 3.0], [2.5, 4.0]])
    with start(place, folder, SKOPS, asking("value")) as worker:
        np.testing.assert_allclose(worker.predict(ASKED).values.astype(float), expected)


@pytest.mark.filterwarnings("ignore")
def test_of_scikit_learn_too_only_what_holds_arrays_is_trusted(place, folder):
    from sklearn.model_selection import GridSearchCV
    from sklearn.tree import DecisionTreeClassifier

    chosen = GridSearchCV(DecisionTreeClassifier(), {"max_depth": [1, 2]}).fit(np.eye(10)[:, :2], [0, 1] * 5)
    dump_skops(chosen, folder / "model.skops")
    with pytest.raises(BoxEnded) as ended, start(place, folder, SKOPS, asking("value")) as worker:
        worker.predict(ASKED)
    assert ended.value.end.reason is EndReason.MODEL_REFUSED and "StratifiedKFold" in ended.value.end.detail


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("boxes", [["fine", 1, 2, 3, 4, 0.5]]),
        pytest.param("mask", [[0, 1], [1, 255]], marks=pytest.mark.prove),
        pytest.param("text", "好", marks=pytest.mark.prove),
    ],
)
def test_a_command_answers_in_every_kind_as_a_function_does(place, folder, kind, answer):
    (folder / "answer.py").write_text(REPEATING.format(answer))
    (folder / "app.py").write_text(f"def predict(batch):\n    return [{answer!r}] * batch.rows\n")
    found = []
    for form in (COMMAND, Form()):
        with start(place, folder, form, asking(kind)) as worker:
            found.append(worker.predict(ASKED).values.tolist())
    assert found[0] == found[1] and len(found[0]) == 2


def test_a_command_is_given_pictures_as_shape_type_and_base64(place, folder):
    (folder / "answer.py").write_text("""
import base64, json, sys
for line in sys.stdin:
    pictures = json.loads(line)["columns"].get("picture", [])
    said = [one and [one["shape"], one["type"], list(base64.b64decode(one["base64"]))] for one in pictures]
    print(json.dumps([json.dumps(one) for one in said]), flush=True)
""")
    picture = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    column = np.empty(2, dtype=object)
    column[0] = picture
    asked = Contract(features=(Field(name="picture", dataType=DataType.IMAGE),), prediction=Prediction(kind="text"))
    with start(place, folder, COMMAND, asked) as worker:
        first, second = worker.predict(FeatureBatch({"picture": column}, 2)).values
    assert json.loads(first) == [[2, 2, 3], "|u1", list(range(12))] and json.loads(second) is None


@pytest.mark.parametrize(
    ("form", "kind", "features"),
    [
        (ONNX, "boxes", FEATURES),
        (ONNX, "value", ("pressure", "picture")),
        pytest.param(SKOPS, "mask", FEATURES, marks=pytest.mark.prove),
        pytest.param(SKOPS, "value", ("pressure", "picture"), marks=pytest.mark.prove),
    ],
)
def test_what_a_model_cannot_answer_or_be_given_is_a_misfit(place, folder, form, kind, features):
    if form is ONNX:
        (folder / "model.onnx").write_bytes(constant(np.array([1.0])))
    else:
        dump_skops(Trained("value").model, folder / "model.skops")
    types = {"pressure": DataType.FLOAT, "age": DataType.INTEGER, "picture": DataType.IMAGE}
    fields = tuple(Field(name=name, dataType=types[name]) for name in features)
    with pytest.raises(BoxEnded) as ended:
        start(place, folder, form, asking(kind).model_copy(update={"features": fields})).close()
    assert ended.value.reason is EndReason.MODEL_MISFIT, ended.value.detail


SPEAKING = Form(runtime="command", command=("python", "answer.py"), speaks="buffers")
BUFFERS = """
import array, json, sys
KINDS = {{"<f8": "d", "<i8": "q", "|u1": "B"}}
for line in sys.stdin.buffer:
    asked = json.loads(line)
    rows, columns = asked["rows"], dict(asked["columns"])
    for name, kind in asked["buffers"].items():
        columns[name] = array.array(KINDS[kind])
        columns[name].frombytes(sys.stdin.buffer.read(rows * columns[name].itemsize))
    kind, answers = {answer}
    sys.stdout.buffer.write(json.dumps({{"buffer": kind}}).encode() + b"\\n" + answers.tobytes())
    sys.stdout.buffer.flush()
"""
SUM = '"<f8", array.array("d", (p + a + s for p, a, s in zip(columns["pressure"], columns["age"], columns["sound"])))'


def test_a_command_may_be_given_numbers_as_buffers_and_answer_so(place, folder):
    (folder / "answer.py").write_text(BUFFERS.format(answer=SUM))
    sound, site = Field(name="sound", dataType="sc:Boolean"), Field(name="site", dataType="sc:Text")
    given = asking("value").model_copy(update={"features": (*contract("value").features, sound, site)})
    columns = {**ASKED.columns, "pressure": np.array([1.5, np.nan]), "sound": np.array([1, 255], dtype=np.uint8)}
    columns["site"] = objects("a", "b")
    with start(place, folder, SPEAKING, given) as worker:
        np.testing.assert_array_equal(worker.predict(FeatureBatch(columns, 2)).values, [5.5, np.nan])


def test_labels_in_a_buffer_are_places_in_the_contract(place, folder):
    (folder / "answer.py").write_text(BUFFERS.format(answer='"<i4", array.array("i", [1, -1][:rows])'))
    with start(place, folder, SPEAKING, asking("label")) as worker:
        assert worker.predict(ASKED).labels(CLASSES) == ["fine", None]


ENDING = '"<i4", rows and sys.exit(3) or array.array("i")'


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ('"<i4", array.array("i", [2, 0][:rows])', EndReason.UNKNOWN_CLASS),
        pytest.param('"<f8", array.array("d", [0.0] * rows)', EndReason.WRONG_TYPE, marks=pytest.mark.prove),
        pytest.param(ENDING, EndReason.APPLICATION_EXIT, marks=pytest.mark.prove),
    ],
)
def test_what_is_wrong_with_a_buffer_is_said(place, folder, answer, reason):
    (folder / "answer.py").write_text(BUFFERS.format(answer=answer))
    with pytest.raises(BoxEnded) as ended, start(place, folder, SPEAKING, asking("label")) as worker:
        worker.predict(ASKED)
    assert ended.value.reason is reason, ended.value.detail
