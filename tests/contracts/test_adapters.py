"""What every form of application keeps to: the same model answers the same, and each fault has a reason of its own."""

import json
import pickle
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import yaml

from pilotbase.catalogue.applications import read_application
from pilotbase.documents.application import SPEAKING, WITH_MODEL, Form, Runtime
from pilotbase.documents.errors import InputError, PilotbaseError
from pilotbase.documents.limits import EndReason
from pilotbase.documents.vocabularies import Verdict
from pilotbase.protocols.frames import FeatureBatch
from pilotbase.sandbox.adapters.registry import adapter_of, known_adapters
from pilotbase.sandbox.box.ends import BoxEnded
from pilotbase.sandbox.box.environments import INSTALLED, build_environment, installed_environment
from pilotbase.sandbox.box.warm_worker import start_worker
from pilotbase.service.admission import Premises, require_held
from pilotbase.trial import running
from pilotbase.worker.base import open_base
from pilotbase.worker.intake.drafting import new_application
from pilotbase.worker.trials.proving import prove, rehearse_in
from pilotbase.worker.trials.summary import report_lines
from pilotbase_estate.backends.backend import BackendNode
from pilotbase_estate.backends.ray_cluster import settings_of
from pilotbase_estate.backends.sessions import RayEngine, SessionHost
from tests.contracts import adapter_cases as cases
from tests.contracts.adapter_boxes import LIMITS, SETTINGS, start
from tests.contracts.adapter_cases import KINDS, Trained, contract, one_column
from tests.contracts.image_cases import BUSYBOX
from tests.trial.conftest import MANIFEST, writing_scenario

RUNTIMES = tuple(runtime for runtime in get_args(Runtime) if runtime != "endpoint")
"""Those that a box loads; endpoints are held against them in `test_endpoint_forms`."""
NO_BUSYBOX = pytest.mark.skipif(
    not BUSYBOX.exists(), reason="no busybox here (Debian: busybox-static) to make images of"
)


@pytest.fixture(scope="module")
def trained():
    return {kind: Trained(kind) for kind in KINDS}


@pytest.fixture(scope="module")
def started(place):
    """Start a worker of an application as a trial would."""
    return lambda folder, form, kind, limits=LIMITS: start(place, folder, form, contract(kind), limits)


def batch(rows: int = 50) -> FeatureBatch:
    return FeatureBatch(dict(zip(cases.FEATURES, cases.points(rows), strict=True)), rows)


def test_every_runtime_of_a_manifest_is_a_module_and_the_other_way_round():
    assert {"python", *known_adapters()} == set(RUNTIMES)


SLOW = pytest.mark.prove
"""Boxes of which another test opens much the same; scikit-learn takes a second to load."""
ALIKE = {("skops", "label"), ("skops", "value"), ("container", "value"), *(("mlflow", kind) for kind in KINDS)}
NEEDED = {"container": [NO_BUSYBOX]}


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("runtime", "kind"),
    [
        pytest.param(runtime, kind, marks=[*([SLOW] if (runtime, kind) in ALIKE else []), *NEEDED.get(runtime, [])])
        for runtime in RUNTIMES
        for kind in KINDS
    ],
)
def test_the_same_model_answers_the_same(started, folder, trained, kind, runtime):
    model, asked = trained[kind], batch()
    matrix = np.column_stack(list(asked.columns.values())).astype(float)
    with started(folder, model.write(runtime, folder), kind) as worker:
        answers = [worker.predict(asked), worker.predict(batch(7))]
    assert [len(one.values) for one in answers] == [50, 7]
    if kind == "label":
        assert answers[0].labels(cases.CLASSES) == model.model.predict(matrix).tolist()
        assert set(answers[0].labels(cases.CLASSES)) == set(cases.CLASSES)
    else:
        known = model.model.predict_proba(matrix)[:, 0] if kind == "probability" else model.model.predict(matrix)
        np.testing.assert_allclose(answers[0].values, known, atol=1e-6)


ONNX_FAULTS = {
    "corrupt": (lambda: b"\x08\x08 no model", "model_unreadable", "Protobuf"),
    "empty": (lambda: b"", "model_unreadable", "No graph"),
    "opset": (
        lambda: one_column(cases.mean, opsets=[cases.helper.make_opsetid("", 99)]),
        "model_too_new",
        "till opset",
    ),
    "shape": (lambda: one_column(cases.mean, inputs=[cases.matrix_input(3)]), "model_misfit", "(None, 3)"),
    "rows": (lambda: one_column(cases.mean, inputs=[cases.matrix_input(2, 8)]), "model_misfit", "8 cases at a time"),
    "outside": (lambda: cases.with_weights_at("../weights"), "model_refused", "../weights"),
    "absolute": (lambda: cases.with_weights_at("/etc/passwd"), "model_refused", "Absolute path"),
    "absent": (lambda: cases.with_weights_at("weights"), "model_unreadable", "does not exist"),
    "operator": (
        lambda: one_column(
            lambda: cases.helper.make_node("Trick", ["x"], ["y"], domain="com.acme"),
            opsets=[*cases.OPSETS, cases.helper.make_opsetid("com.acme", 1)],
        ),
        "model_refused",
        "com.acme:Trick",
    ),
    "memory": (cases.huge, "memory_limit", ""),
}


REFUSED_ALIKE = ("empty", "absolute", "absent", "rows")


@pytest.mark.parametrize(
    "fault", [pytest.param(name, marks=[SLOW] if name in REFUSED_ALIKE else []) for name in ONNX_FAULTS]
)
def test_what_is_wrong_with_an_onnx_model_is_said(started, folder, fault):
    content, reason, words = ONNX_FAULTS[fault]
    (folder / "model.onnx").write_bytes(content())
    with pytest.raises(BoxEnded) as ended, started(folder, Form(runtime="onnx", model="model.onnx"), "value") as worker:
        worker.predict(batch(3))
    assert (ended.value.reason, words in ended.value.detail) == (reason, True), ended.value.detail


@pytest.mark.parametrize(
    ("content", "kind", "expected"),
    [
        (lambda: cases.probabilities(zip_map=True), "probability", [0.75] * 3),
        (lambda: cases.probabilities(zip_map=False, broken=1.000001), "probability", [1.0] * 3),
        (cases.labels_as_a_column, "label", [0] * 3),
        (cases.by_name, "value", None),
    ],
    ids=["mapping", "columns_rounded", "labels_as_a_column", "by_name"],
)
def test_onnx_models_as_converters_write_them(started, folder, content, kind, expected):
    (folder / "model.onnx").write_bytes(content())
    asked = batch(3)
    if expected is None:
        expected = 100 * asked.columns["pressure"] + asked.columns["age"]
    with started(folder, Form(runtime="onnx", model="model.onnx"), kind) as worker:
        np.testing.assert_allclose(worker.predict(asked).values, expected, atol=1e-6)
        assert worker.logs().text == ""


def test_weights_beside_the_model_are_read_and_python_files_are_not(started, folder):
    (folder / "model.onnx").write_bytes(cases.with_weights_at("weights"))
    (folder / "weights").write_bytes(np.array([1.0, 2.0]).tobytes())
    for name in ("numpy", "onnxruntime", "os"):
        (folder / f"{name}.py").write_text("raise SystemExit('a file of the supplier ran')\n")
    asked = batch(3)
    with started(folder, Form(runtime="onnx", model="model.onnx"), "value") as worker:
        expected = asked.columns["pressure"] + 2 * asked.columns["age"]
        np.testing.assert_allclose(worker.predict(asked).values, expected)


LOADED = """
import importlib.util, sys, types
found = importlib.util.spec_from_file_location("adapter", sys.argv[1])
adapter = importlib.util.module_from_spec(found)
found.loader.exec_module(adapter)
form, refused = {"model": "model.onnx"}, lambda reason, words: ValueError(words)
given = types.SimpleNamespace(folder=sys.argv[2], form=form, features=["a", "b"], kind="value", classes=[], threads=1,
                              refused=refused, is_number=lambda name: True, types=dict.fromkeys("ab", "sc:Float"))
adapter.load(given)
"""


def test_onnxruntime_leaves_no_mark_of_the_machine_in_a_home(folder):
    (folder / "model.onnx").write_bytes(one_column(cases.mean))
    (folder / "home").mkdir()
    command = [sys.executable, "-c", LOADED, str(adapter_of("onnx").script), str(folder)]
    subprocess.run(command, env={"HOME": str(folder / "home")}, check=True)
    assert list((folder / "home").rglob("*")) == []


@pytest.mark.parametrize("fault", [pytest.param("corrupt", marks=SLOW), "lies", pytest.param("misfit", marks=SLOW)])
def test_what_is_wrong_with_a_stored_model_is_said(started, folder, trained, fault):
    reason, words = {
        "corrupt": (EndReason.MODEL_UNREADABLE, "BadZipFile"),
        "lies": (EndReason.MODEL_REFUSED, "subprocess.Popen"),
        "misfit": (EndReason.MODEL_MISFIT, "predict_proba"),
    }[fault]
    trained["value"].write("skops", folder)
    if fault == "corrupt":
        (folder / "model.skops").write_bytes(b"no archive")
    if fault == "lies":
        cases.stored_lies(folder)
    form = Form(runtime="skops", model="model.skops")
    with pytest.raises(BoxEnded) as ended:
        started(folder, form, "probability").close()
    assert (ended.value.reason, words in ended.value.detail) == (reason, True), ended.value.detail


COMMAND_FAULTS = {
    "noise": ("print('loading', flush=True)\nfor line in open(0):\n    pass\n", "wrong_type", "standard error"),
    "exit": ("import sys\nprint('no licence', file=sys.stderr)\nsys.exit(7)\n", "application_exit", "7"),
    "count": ("for line in open(0):\n    print('[]', flush=True)\n", "wrong_count", "0 answers for 3 cases"),
    "class": ("for said in ('[]', '[1, 2, 3]'):\n    input()\n    print(said, flush=True)\n", "unknown_class", ""),
    "hangs": ("import time\nprint('[]', flush=True)\ntime.sleep(60)\n", "batch_timeout", ""),
}  # fmt: skip


@pytest.mark.parametrize("fault", COMMAND_FAULTS)
def test_what_is_wrong_with_a_command_is_said(started, folder, fault):
    program, reason, words = COMMAND_FAULTS[fault]
    (folder / "answer.py").write_text(program)
    form = Form(runtime="command", command=("python", "answer.py"))
    limits = LIMITS.model_copy(update={"batch_seconds": 0.5}) if fault == "hangs" else LIMITS
    with pytest.raises(BoxEnded) as ended, started(folder, form, "label", limits) as worker:
        worker.predict(batch(3))
    assert (ended.value.reason, words in ended.value.detail) == (reason, True), ended.value.detail


def test_a_script_whose_interpreter_is_not_in_the_box_is_told_what_is_missing(started, folder):
    (folder / "answer.js").write_text("#!/nowhere/node\n")
    with pytest.raises(BoxEnded) as caught:
        started(folder, Form(runtime="command", command=("answer.js",)), "value")
    assert caught.value.reason == EndReason.MODEL_UNREADABLE
    assert "answer.js cannot be run here: the file is there, but the interpreter" in caught.value.detail


def test_a_command_may_be_a_binary_whatever_its_mode_and_prints_to_its_log(started, folder):
    """A shell of the host, which needs no library but C's, stands in for a supplier's binary."""
    shutil.copy(shutil.which("dash") or "/bin/sh", folder / "answer")
    (folder / "answer").chmod(stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH)
    script = """while read -r line; do
        case "$line" in *'"rows": 0'*) line='[]';; *'"rows": 3'*) line='["fine", null, "broken"]';; esac
        echo "$line" >&2; echo "$line"
    done"""
    form = Form(runtime="command", command=("answer", "-c", script))
    with started(folder, form, "label") as worker:
        assert worker.predict(batch(3)).labels(cases.CLASSES) == ["fine", None, "broken"]
        worker.close()
        assert '["fine", null, "broken"]' in worker.logs().text


class OneNode:
    """A cluster of one node in this process: what goes there and back is copied as on a network."""

    settings = settings_of({})

    def __init__(self, place) -> None:
        self.host = SessionHost(str(place))

    def nodes(self):
        return [BackendNode("node", {"cpu": 4000, "memory": 64 << 30})]

    def make(self, host):
        return "key"

    def ask(self, key, method, *arguments, seconds=None):
        if method == "__ray_ready__":
            return True
        asked = pickle.loads(pickle.dumps(arguments))
        return pickle.loads(pickle.dumps(getattr(self.host, method)(*asked)))

    def remove(self, key):
        pass


def test_a_node_of_a_cluster_loads_the_form_that_it_is_told(folder, place, trained):
    form, asked = trained["value"].write("command", folder), batch(5)
    environment = build_environment(b"", "lock", place / INSTALLED)
    engine = RayEngine(OneNode(place))
    worker = engine.start_worker(folder, form, contract("value"), environment, SETTINGS)
    assert worker.facts.level is SETTINGS.level and worker.load_seconds > 0
    answers = worker.predict(asked).values
    with pytest.raises(InputError) as refused:
        worker.predict(FeatureBatch({}, 5))
    assert refused.value.code == "box.batch_columns"
    worker.close()
    assert worker.usage().wall_seconds > 0
    matrix = np.column_stack(list(asked.columns.values()))
    np.testing.assert_allclose(answers, trained["value"].model.predict(matrix), atol=1e-6)


def test_a_program_in_python_imports_its_requirements_and_its_neighbours(folder, place):
    (folder / "weights.py").write_text("FACTOR = 3.0\n")
    (folder / "answer.py").write_text(
        "import json, sys, numpy, weights\n"
        "for line in sys.stdin:\n"
        "    column = numpy.array(json.loads(line)['columns']['pressure'], dtype=float)\n"
        "    print(json.dumps((column * weights.FACTOR).tolist()), flush=True)\n"
    )
    form = Form(runtime="command", command=("python", "answer.py"))
    environment = installed_environment(adapter_of("onnx").needs, place / INSTALLED)
    with start_worker(folder, form, contract("value"), environment, SETTINGS) as worker:
        asked = batch(4)
        np.testing.assert_allclose(worker.predict(asked).values, 3 * asked.columns["pressure"])


@pytest.mark.parametrize("runtime", get_args(Runtime))
def test_a_manifest_says_what_its_runtime_lacks_and_what_it_never_reads(folder, runtime):
    manifest = yaml.safe_load(MANIFEST.format(name="alarm", supplier="acme"))
    manifest |= {"runtime": runtime, "entry_point": "other:answer"}
    if runtime not in WITH_MODEL:
        manifest["model"] = "model.onnx"
    if runtime not in SPEAKING:
        manifest |= {"command": ["python", "answer.py"], "speaks": "buffers"}
    if runtime != "container":
        manifest["image"] = "image.tar"
    (folder / "application.yaml").write_text(yaml.safe_dump(manifest))
    with pytest.raises(InputError) as found:
        read_application(folder)
    wrong = {"model", "command", "image"} - ({"command"} if runtime == "container" else set())
    wrong |= set() if runtime == "python" else {"entry_point"}
    wrong |= {"endpoint"} if runtime == "endpoint" else set()
    wrong |= {"speaks"} if runtime not in SPEAKING else set()
    assert {issue.path for issue in found.value.issues} == wrong
    assert all("运行环境" in issue.render("zh") for issue in found.value.issues)


@pytest.mark.parametrize("runtime", ["onnx", "skops", "command", pytest.param("container", marks=NO_BUSYBOX)])
def test_what_the_folder_lacks_is_found_before_a_box_is_opened(folder, trained, runtime):
    form = trained["label"].write(runtime, folder)
    write_manifest(folder, runtime, form)
    assert read_application(folder).application.form == form
    (folder / (form.model or form.image or "answer.py")).unlink()
    (folder / "requirements.lock").write_text("numpy==2.0.0 --hash=sha256:" + "0" * 64)
    with pytest.raises(InputError) as found:
        read_application(folder)
    expected = {"command": {"command"}, "container": {"image", "requirements"}}.get(runtime, {"model", "requirements"})
    assert {issue.path for issue in found.value.issues} == expected


def write_manifest(folder: Path, runtime: str, form: Form) -> None:
    manifest = yaml.safe_load(MANIFEST.format(name=f"alarm-{runtime}", supplier="acme"))
    (folder / "application.yaml").write_text(json.dumps({**manifest, **form.to_json_value()}))


@pytest.fixture(scope="module")
def base(place):
    """A base whose environments for models are the ones that the other tests use."""
    (place / INSTALLED).mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PILOTBASE_HOME", str(place / "home"))
        opened = open_base(create=True, name="test-base")
        (opened.lab.folder("environments") / INSTALLED).symlink_to(place / INSTALLED)
        yield opened
        opened.lab.close()


@pytest.fixture(scope="module")
def scenario(place):
    def without_site(content: str) -> str:
        kept = content.replace("  target: failure\n", "  target: failure\n  withheld: [site]\n")
        return kept.replace("256 MiB", "512 MiB").replace("batch_seconds: 30", "batch_seconds: 60")

    return writing_scenario(place)(rows=400, cases=60, change=without_site)


HERE = set(RUNTIMES) - (set() if BUSYBOX.exists() else {"container"})


@pytest.mark.parametrize("runtimes", [HERE - {"mlflow"}, pytest.param(HERE, marks=SLOW)])
def test_one_scenario_gives_every_form_the_same_score_and_verdict(base, scenario, place, trained, runtimes):
    reports, sentences = {}, {}
    for runtime in runtimes:
        folder = Path(tempfile.mkdtemp(dir=place))
        write_manifest(folder, runtime, trained["label"].write(runtime, folder))
        report = rehearse_in(base, scenario, folder).report
        reports[runtime] = [(one.rule, one.estimate) for one in report.criteria[:2]], report.verdict
        sentences[runtime] = report.sections[3].findings[0].sentence.render("en")
    assert len({str(one) for one in reports.values()}) == 1, reports
    assert reports["onnx"][1] is Verdict.ACCEPT
    assert "onnxruntime 1." in sentences["onnx"] and "CPython 3." in sentences["onnx"]
    assert "scikit-learn 1." in sentences["skops"] and "python answer.py" in sentences["command"]


@pytest.mark.one_in(2)
@pytest.mark.parametrize("runtime", ["command", "onnx", pytest.param("skops", marks=SLOW)])
def test_what_is_begun_in_a_form_passes_its_rehearsal(base, scenario, folder, runtime):
    begun = new_application(scenario, folder / "begun", "acme", runtime=runtime)
    if begun.makes is not None:
        with pytest.raises(InputError) as early:
            read_application(folder / "begun")
        assert begun.makes in early.value.issues[0].problem.render("en")
        subprocess.run([sys.executable, str(begun.first)], check=True)
    rehearsed = rehearse_in(base, scenario, folder / "begun")
    assert rehearsed.passed and rehearsed.report.verdict is not Verdict.ACCEPT


def test_what_is_wrong_with_a_model_is_told_with_what_to_do_in_both_languages(base, scenario, folder):
    write_manifest(folder, "onnx", Form(runtime="onnx", model="model.onnx"))
    (folder / "model.onnx").write_bytes(one_column(cases.mean, opsets=[cases.helper.make_opsetid("", 99)]))
    rehearsed = rehearse_in(base, scenario, folder)
    assert not rehearsed.passed and rehearsed.report.isolation.end is EndReason.MODEL_TOO_NEW
    for language, words in (("en", "a lower opset"), ("zh", "较低的 opset")):
        said = "\n".join(line.render(language) for line in report_lines(rehearsed.report, rehearsed.folder))
        assert words in said and "Opset 99" in said


@pytest.mark.prove
@pytest.mark.parametrize(
    ("runtime", "named"), [("onnx", "onnxruntime 1."), pytest.param("container", "image.tar", marks=[SLOW, NO_BUSYBOX])]
)
def test_an_application_is_proven_and_what_loads_it_is_held_for_its_service(
    base, scenario, folder, trained, runtime, named
):
    write_manifest(folder, runtime, trained["label"].write(runtime, folder))
    report = prove(base, scenario, folder).report
    assert report.verdict is Verdict.ACCEPT
    assert named in report.sections[3].findings[0].sentence.render("zh")
    require_held(Premises.of_home(base.lab.home.path, None), report.application)


def test_where_a_library_is_missing_it_is_said_what_to_install(base, scenario, folder, trained, monkeypatch):
    write_manifest(folder, "onnx", trained["label"].write("onnx", folder))
    monkeypatch.setattr(running, "missing_packages", lambda names: ["onnxruntime"])
    with pytest.raises(PilotbaseError, match="onnxruntime") as refused:
        rehearse_in(base, scenario, folder)
    assert "pip install 'onnxruntime>=" in refused.value.render("zh")
