"""Broken applications: what is wrong with each, and the message that its supplier must get: what, where, what to do."""

from __future__ import annotations

import json
import pickle
import tarfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.corpus.grading import Expected
from tests.sandbox.endpoints.stubs_for_tests import Stub, nobody, serving
from tests.trial.conftest import GOOD, MANIFEST

Put = Callable[[Path], AbstractContextManager[object] | None]


@dataclass(frozen=True)
class BrokenApplication:
    """An application whose folder ``put`` fills, and what must be said; an endpoint is served while it is tried."""

    name: str
    put: Put
    expected: Expected
    hosted: bool = False


_BESIDE = """import {module}
from pathlib import Path
MODEL = {module}.loads(Path(__file__).with_name("{file}").read_bytes())
"""
_FORKING = """import os, time
def predict(batch):
    while True:
        if os.fork() == 0:
            time.sleep(100)
"""
APPLICATIONS: list[BrokenApplication] = []


def _application(name: str, what: str, where: str, do: str, hosted: bool = False) -> Callable[[Put], Put]:
    """Register what a decorated function writes into a folder that does not exist yet."""

    def take(put: Put) -> Put:
        APPLICATIONS.append(BrokenApplication(name, put, Expected(what, where, do), hosted))
        return put

    return take


def _written(
    folder: Path, program: str | bytes = GOOD, manifest: Mapping[str, object] | None = None, **files: bytes
) -> None:
    folder.mkdir()
    usual = yaml.safe_load(MANIFEST.format(name="alarm", supplier="acme"))
    (folder / "application.yaml").write_text(yaml.safe_dump({**usual, **(manifest or {})}))
    (folder / "app.py").write_bytes(program if isinstance(program, bytes) else program.encode())
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_bytes(content)


def _program(name: str, program: str | bytes, what: str, where: str, do: str, **files: bytes) -> None:
    """Register a folder that holds nothing but a program."""

    @_application(name, what, where, do)
    def _(folder: Path) -> None:
        _written(folder, program, None, **files)


def _manifest(name: str, what: str, where: str, do: str, **manifest: object) -> None:
    """Register a folder with a sound program and these members of its manifest."""

    @_application(name, what, where, do)
    def _(folder: Path) -> None:
        _written(folder, manifest=manifest)


def _every(answer: str, before: str = "") -> str:
    return f"{before}\ndef predict(batch):\n    return [{answer}] * batch.rows\n"


# ── the folder and its manifest ──


@_application("no folder | 文件夹不存在", "does not exist", "application", r"folder that contains application\.yaml")
def _(folder: Path) -> None:
    pass


@_application("an empty folder | 空文件夹", r"holds no application\.yaml", "application", "application new")
def _(folder: Path) -> None:
    folder.mkdir()


@_application(
    "a manifest that is no YAML | 清单不是 YAML",
    "not valid YAML",
    r"application\.yaml:14",
    "did not find expected",
)
def _(folder: Path) -> None:
    _written(folder)
    manifest = folder / "application.yaml"
    manifest.write_text(manifest.read_text() + "title: [alarm\nlicence: MIT\n")


_manifest(
    "an unknown key | 清单有未知的键",
    "not a field",
    r"application\.yaml:\d+ entrypoint",
    "did you mean entry_point",
    entrypoint="app:predict",
)
_manifest(
    "a version in words | 版本号写成单词",
    "found latest",
    r"application\.yaml:\d+ version",
    r"written like 1\.0\.0",
    version="latest",
)
_manifest(
    "a Windows path as entry point | 入口点写成 Windows 路径",
    r"found src\\app\.py",
    r"application\.yaml:\d+ entry_point",
    "written like app:predict",
    entry_point="src\\app.py:predict",
)
_manifest(
    "an absolute path to the model | 模型写成绝对路径",
    r"found /home/li/model\.onnx",
    r"application\.yaml:\d+ model",
    r"written like model\.onnx",
    runtime="onnx",
    model="/home/li/model.onnx",
)


@_application(
    "no name and no supplier | 缺少名称和供给方",
    "is missing",
    r"application\.yaml:1 supplier",
    "add it",
)
def _(folder: Path) -> None:
    _written(folder)
    (folder / "application.yaml").write_text("document: application/1\nversion: 1.0.0\ntitle: Alarm\nlicence: MIT\n")


@_application("no program | 没有程序", r"app\.py does not exist", "entry_point", "Write it, or name another")
def _(folder: Path) -> None:
    _written(folder)
    (folder / "app.py").unlink()


@_application(
    "a notebook in place of a program | 以笔记本代替程序",
    r"app\.py does not exist",
    "entry_point",
    "Write it, or name another",
)
def _(folder: Path) -> None:
    _written(folder, model__ipynb=json.dumps({"cells": []}).encode())
    (folder / "app.py").rename(folder / "old.txt")


@_application(
    "a link that leads out of the folder | 指向文件夹之外的链接",
    "symbolic link",
    "application weights",
    "only regular files",
)
def _(folder: Path) -> None:
    _written(folder)
    (folder / "weights").symlink_to("/etc/hostname")


# ── the program ──

_program(
    "a syntax error | 语法错误",
    "def predict(batch)\n    return 1\n",
    "SyntaxError: expected",
    r"app\.py:1",
    "Correct app",
)
_program(
    "a source that is no UTF-8 | 源代码不是 UTF-8",
    "NAME = 'Größe'\n".encode("cp1252") + GOOD.encode(),
    "can't decode byte",
    r"app\.py:1",
    "Correct app",
)
_program(
    "a function of another name | 函数名不符",
    GOOD.replace("predict", "prediction"),
    "does not define the function predict",
    "entry_point",
    "Define it",
)
_program(
    "a function without an argument | 函数没有参数",
    "def predict():\n    return []\n",
    "takes 0 positional arguments",
    "predict:",
    r"def predict\(batch\)",
)
_program(
    "a function of one case | 函数只处理单个案例",
    "def predict(pressure):\n    return 'broken' if pressure > 6 else 'fine'\n",
    "not supported between",
    r"app\.py:2",
    "one answer a case",
)
_program(
    "an error of its own | 程序自身出错",
    "def predict(batch):\n    return [1 / 0] * batch.rows\n",
    "ZeroDivisionError",
    r"app\.py:2",
    "Correct app",
)
_program(
    "too few answers | 答案过少",
    "def predict(batch):\n    return ['fine'] * (batch.rows - 1)\n",
    "exactly one answer per case",
    r"predict returned \d+ answers for \d+ cases",
    "Return one prediction for each row",
)
_program(
    "a dict of answers | 返回字典",
    "def predict(batch):\n    return {'answers': ['fine'] * batch.rows}\n",
    "returned dict",
    "predict returned",
    "one answer a case",
)
_program(
    "nothing returned | 没有返回值",
    "def predict(batch):\n    answers = ['fine'] * batch.rows\n",
    "returned NoneType",
    "predict returned",
    "one answer a case",
)
_program(
    "an unknown class | 未知类别",
    _every("'defect'"),
    "defect",
    "predict answered",
    "classes of the contract: broken, fine",
)
_program(
    "numbers for classes | 以数值代替类别",
    _every("0.7"),
    r"predict answered 0\.7",
    "predict answered",
    "classes of the contract: broken, fine",
)
_program(
    "NaN for every case | 全部返回 NaN",
    _every("float('nan')"),
    "abstained in",
    "99 of 99 cases",
    "look for missing values",
)
_program(
    "a column that is not there | 使用不存在的列",
    "def predict(batch):\n    return ['fine' for heat in batch['temperature']]\n",
    "no temperature",
    r"app\.py:2",
    "allowed: pressure",
)
_program(
    "labels that it wants to read | 试图读取标签",
    "import csv\nTABLE = list(csv.DictReader(open('cases.csv')))\n" + GOOD,
    r"no cases\.csv in a box",
    r"app\.py:2",
    "Put the file into the folder",
)
_program(
    "a path of the supplier's machine | 供给方电脑上的路径",
    "MODEL = open(r'C:\\Users\\li\\model.bin', 'rb').read()\n" + GOOD,
    r"no C:\S+model\.bin in a box",
    r"app\.py:1",
    "Put the file into the folder",
)
_program(
    "a package that is not locked | 软件包未锁定",
    "import pandas\n" + GOOD,
    "package pandas is not",
    r"app\.py:1",
    "pilotbase application lock",
)
_program(
    "weights that are a pointer | 权重只是指针",
    _BESIDE.format(module="json", file="model.json") + GOOD,
    "Git LFS",
    r"application model\.json",
    "git lfs pull",
    model__json=b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12345\n",
)
_program(
    "a pickle of a class that is not there | pickle 所需的类不存在",
    _BESIDE.format(module="pickle", file="model.pkl") + GOOD,
    "package xgboost is not",
    r"app\.py:\d",
    "pilotbase application lock",
    model__pkl=b"\x80\x04cxgboost.sklearn\nXGBClassifier\n.",
)
_program(
    "a call over the network | 访问网络",
    "from urllib.request import urlopen\nurlopen('http://192.0.2.1/model', timeout=2)\n" + GOOD,
    "no network",
    r"app\.py:2",
    "Put what it fetches into the folder",
)
_program(
    "writing beside itself | 写入自身文件夹",
    "open(__file__ + '.cache', 'w')\n" + GOOD,
    "cannot be written",
    r"app\.py:1",
    "Write to /tmp",
)
_program(
    "an end of its own | 自行退出",
    "import sys\ndef predict(batch):\n    sys.exit(0)\n",
    r"stopped before it had answered\.",
    r"app\.py., line 3",
    "Do not call exit",
)
_program(
    "a crash in C | C 语言库崩溃",
    "import ctypes\ndef predict(batch):\n    ctypes.string_at(0)\n",
    "Segmentation fault",
    r"app\.py., line 3",
    "library in C",
)
_program(
    "an endless loop | 死循环",
    "def predict(batch):\n    while True:\n        pass\n",
    "did not answer a batch within",
    "batch_seconds, 3",
    "Make predict faster",
)
_program(
    "an endless start | 加载不结束",
    "import time\ntime.sleep(1000)\n" + GOOD,
    "not ready within",
    "load_seconds, 60",
    "Load less",
)
_program(
    "all memory | 耗尽内存",
    "def predict(batch):\n    held = []\n    while True:\n        held.append(bytearray(1 << 24))\n",
    "exceeded its memory limit",
    "memory_bytes, 256 MiB",
    "Use less memory",
)
_program(
    "a bomb of processes | 进程炸弹",
    _FORKING,
    "more processes or threads",
    "processes, 64",
    "Start fewer",
)
_program(
    "endless output | 输出不止",
    "def predict(batch):\n    while True:\n        print('x' * 100000)\n",
    "printed so much",
    "batch_seconds, 3",
    "Print less",
)
_program(
    "an async function | 异步函数",
    "async def predict(batch):\n    return ['fine'] * batch.rows\n",
    "returned coroutine",
    "predict returned",
    "one answer a case",
)


# ── locks and models ──


def _locked(name: str, lock: str, what: str, where: str, do: str) -> None:
    @_application(name, what, where, do)
    def _(folder: Path) -> None:
        _written(folder, requirements__lock=lock.encode())


_locked(
    "a lock without hashes | 锁定文件没有哈希",
    "numpy==2.3.0\n",
    "hash is missing",
    r"requirements\.lock:1",
    "use name==version --hash",
)
_locked(
    "a lock without versions | 锁定文件没有版本",
    "scikit-learn>=1.4\n",
    "not an exact version",
    r"requirements\.lock:1",
    "use name==version --hash",
)
_locked(
    "a lock with a wrong hash | 锁定文件哈希有误",
    f"gamma==1.0 --hash=sha256:{'0' * 64}\n",
    "not have the hash",
    "gamma",
    "Lock the requirements again",
)


@_application(
    "an ONNX model cut short | ONNX 模型被截断", "refuses the model", r"model\.onnx failed", "export the model again"
)
def _(folder: Path) -> None:
    _written(folder, manifest={"runtime": "onnx", "model": "model.onnx"}, model__onnx=b"\x08\x0a\x12\x07pytorch")
    (folder / "app.py").unlink()


@_application(
    "a skops file that is a pickle | skops 文件其实是 pickle",
    "cannot be read",
    r"model\.skops",
    r"skops\.io\.dump|export",
)
def _(folder: Path) -> None:
    _written(folder, manifest={"runtime": "skops", "model": "model.skops"}, model__skops=pickle.dumps({"a": 1}))
    (folder / "app.py").unlink()


@_application("an image that is no image | 镜像不是镜像", "image was rejected", r"no manifest\.json", "podman save")
def _(folder: Path) -> None:
    _written(folder, manifest={"runtime": "container", "image": "image.tar"})
    (folder / "app.py").unlink()
    with tarfile.open(folder / "image.tar", "w") as archive:
        archive.add(folder / "application.yaml", "application.yaml")


# ── endpoints ──


def _endpoint(name: str, fault: str, what: str, where: str, do: str) -> None:
    """Register an endpoint that fails in a way of `Stub`; without one nobody listens."""

    @_application(name, what, where, do, hosted=True)
    def _(folder: Path) -> ExitStack:
        stub = Stub(lambda _: {}, lambda number: fault if number >= 0 else "")
        serving_it = ExitStack()
        if fault:
            serving_it.enter_context(serving(stub))
        else:
            stub.url = nobody()
        _written(folder, manifest={"runtime": "endpoint", "endpoint": stub.endpoint()})
        (folder / "app.py").unlink()
        return serving_it


_endpoint("an endpoint that is down | 端点未运行", "", "could not be reached", r"127\.0\.0\.1", "server is running")
_endpoint(
    "an endpoint that signs in first | 端点要求先登录",
    "html",
    "not JSON",
    r"asked: http://127\.0\.0\.1",
    "Check that address",
)
_endpoint(
    "an endpoint of other answers | 端点的答复格式不符",
    "schema",
    "its shape is none",
    "prediction",
    "Check that address and protocol|sizes",
)
_endpoint(
    "an endpoint that hangs | 端点不响应",
    "hang",
    "did not answer in time",
    r"asked: http://127\.0\.0\.1",
    "faster|longer|smaller",
)
_endpoint(
    "an endpoint of an unknown key | 端点不认可密钥",
    "status:401",
    "401",
    r"asked: http://127\.0\.0\.1",
    "the key named in the manifest",
)
