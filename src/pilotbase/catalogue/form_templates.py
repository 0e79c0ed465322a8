"""How a new application of each form starts out: its part of the manifest, its files, and the steps in its README.

Comments are in English and Chinese. The scenario's words appear only as comments or values, never as code.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass
from types import MappingProxyType

from pilotbase.documents.application import DEFAULT_REQUIREMENTS, Runtime
from pilotbase.documents.base import Localized
from pilotbase.documents.contract import ARRAYS, TARGETS, DataType

_COLUMNS = """\
# Columns of a batch · 每批案例的各列：
{columns}
#
# Answer · 答案：{answer}
"""
_PYTHON_PROGRAM = (
    '"""Application for the scenario {scenario} · 场景 {scenario} 的应用"""\n\n'
    + _COLUMNS
    + '''

def predict(batch):
    """Answer one batch: a list or array with one entry a case, in the order of the batch.

    ``batch[name]`` is a column and ``batch.rows`` the number of cases. With numpy in requirements.lock columns are
    1-D arrays and ``batch.matrix(names)`` is their (rows, columns) float array; without it they are plain lists.
    None abstains: a person decides, and the case counts as not answered.

    对一批案例作答：返回列表或数组，每个案例一项，顺序与该批相同。
    ``batch[列名]`` 为一列，``batch.rows`` 为案例数。requirements.lock 中有 numpy 时，各列为一维数组，
    ``batch.matrix(列名列表)`` 为（行数，列数）的浮点数组；没有时各列为普通列表。
    返回 None 表示弃权：由人决定，该案例计为未作答。
    """
    # To be replaced: always the same answer · 请替换：目前始终给出同一答案
    return [{constant}] * batch.rows
'''
)
_COMMAND_PROGRAM = (
    '''\
"""Program for the scenario {scenario}: answers lines of JSON. Any language will do: see docs/write-an-application.md

场景 {scenario} 的程序：逐行回答 JSON。可用任何语言编写，见 docs/write-an-application.zh.md
"""

import json
import sys

'''
    + _COLUMNS
    + '''

def answers(rows, columns):
    """Return one answer a case. ``columns[name]`` is a list; None is a missing value, or an answer that abstains.

    每个案例返回一项答案。``columns[列名]`` 为列表；None 表示缺失值，或表示弃权。
    """
    # To be replaced: always the same answer · 请替换：目前始终给出同一答案
    return [{constant}] * rows


# The first line asks about no case; print everything else on standard error · 第一行不含案例；其他内容请输出到标准错误
for line in sys.stdin:
    batch = json.loads(line)
    print(json.dumps(answers(batch["rows"], batch["columns"])), flush=True)
'''
)
_ONNX_PROGRAM = (
    '''\
"""Writes model.onnx for the scenario {scenario}; it runs on your machine, not in the box. Needs: pip install onnx

为场景 {scenario} 写出 model.onnx；在您的机器上运行，不在沙箱中运行。需要：pip install onnx
"""

from pathlib import Path

from onnx import TensorProto, helper

'''
    + _COLUMNS
    + """
# An input for each column, shape (cases, 1); a missing number is NaN, a missing text empty
# 每列一个输入，形状为（案例数, 1）；缺失的数值为 NaN，缺失的文本为空
INPUTS = {{
{inputs}
}}
ANSWER = {columns_of_answer}

# To be replaced by the export of your model: always the same answer
# 请替换为您的模型的导出：目前始终给出同一答案
kind = {{str: TensorProto.STRING, int: TensorProto.INT64, float: TensorProto.DOUBLE}}[type(ANSWER[0])]
values = [one.encode() if isinstance(one, str) else one for one in ANSWER]
nodes = [
    helper.make_node("Shape", [next(iter(INPUTS))], ["shape"]),
    helper.make_node("Expand", ["constant", "shape"], ["answer"]),
]
graph = helper.make_graph(
    nodes,
    "model",
    [helper.make_tensor_value_info(name, its_kind, [None, 1]) for name, its_kind in INPUTS.items()],
    [helper.make_tensor_value_info("answer", kind, [None, len(ANSWER)])],
    [helper.make_tensor("constant", kind, [1, len(ANSWER)], values)],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
Path(__file__).with_name("model.onnx").write_bytes(model.SerializeToString())
"""
)
_SKOPS_PROGRAM = (
    '''\
"""Writes model.skops for the scenario {scenario}; it runs on your machine, not in the box.

Needs skops, and scikit-learn as the base has it: pip install {packages}

为场景 {scenario} 写出 model.skops；在您的机器上运行，不在沙箱中运行。
需要 skops，以及与基地版本相同的 scikit-learn：pip install {packages}
"""

from pathlib import Path

import numpy as np
import skops.io
from sklearn.dummy import {dummy}

'''
    + _COLUMNS
    + """
# One matrix in this order, shape (cases, {count}); a missing number is NaN
# 一个矩阵，列序如下，形状为（案例数, {count}）；缺失的数值为 NaN
FEATURES = {features}
ANSWERS = {answers}

# To be replaced by your model: always the same answer · 请替换为您的模型：目前始终给出同一答案
model = {dummy}().fit(np.zeros((len(ANSWERS), len(FEATURES))), ANSWERS)
skops.io.dump(model, Path(__file__).with_name("model.skops"))
"""
)
_LOCK = Localized(
    en="`requirements.lock`: the packages that it needs, with their hashes; empty where it needs none.",
    zh="`requirements.lock`：用到的依赖包及其哈希；不需要则留空。",
)
_NO_LOCK = Localized(
    en="No `requirements.lock`: what loads the model is the base's own, and no code of yours runs there.",
    zh="不需要 `requirements.lock`：模型由基地自带的库加载，不运行您的代码。",
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
MANIFEST_TEMPLATE = """\
# What the application is · 应用说明
document: application/1
name: {name}   # short name, in addresses; cannot be changed later · 简称，用于网址，建立后不可更改
version: 0.1.0   # another number for each version · 每个版本用不同的版本号
title: {{en: {title_en}, zh: {title_zh}}}
supplier: {{organisation: {supplier}, contact: ""}}   # your short name · 贵单位简称
licence: Apache-2.0
scenario: {scenario}
{form}resources: {{memory: 256 MiB, threads: 1}}
model_card:
  summary: {{en: "Say in one sentence what it does.", zh: "用一句话说明它做什么。"}}
  # Until these three are filled in, the design section of the report says that the model card is incomplete.
  # 以下三项填写之前，报告的“设计”部分会注明模型卡不完整。
  # training_data: {{en: "Public sample of {scenario}.", zh: "{scenario} 的公开样本。"}}
  # limitations: {{en: "Where it must not be used.", zh: "不得用于何处。"}}
  # human_oversight: {{en: "Who decides when it abstains (answers None).", zh: "弃权（返回 None）时由谁决定。"}}
"""
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
README_TEMPLATE = """\
# {title_zh} · {title_en}

## 中文

本文件夹是场景 `{scenario}` 的入门应用：始终给出同一答案。请把它改好：

1. {first_zh}
2. `application.yaml`：填写标题、版本和模型卡。
3. {needs_zh}
4. `{sample}`（位于本文件夹旁边）：{sample_zh}；请勿放入本文件夹。

改好之后：在平台上将本文件夹打包为 zip，“上传应用”，“发起预演”，看过报告再“正式提交”；
或在命令行运行 `pilotbase trial rehearse 场景文件夹 本文件夹`。预演不计次数。

## English

This folder is a first application for the scenario `{scenario}`: it always gives the same answer. Make it better:

1. {first_en}
2. `application.yaml`: title, version and model card.
3. {needs_en}
4. `{sample}` (beside this folder): {sample_en}; leave it out of this folder.

Then, on a hub: zip this folder, *Upload an application*, *Rehearse the application*, read the report,
*Submit the application*; or on the command line `pilotbase trial rehearse SCENARIO-FOLDER THIS-FOLDER`.
A rehearsal costs no attempt.
"""


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
    kinds: Collection[str] = frozenset(TARGETS)
    """Kinds of answers that it can give."""
    types: Set[DataType] = frozenset(DataType)
    """Types of features that it can be given."""


FORM_TEMPLATES: Mapping[Runtime, FormTemplate] = MappingProxyType(
    {
        "python": FormTemplate(
            _ENTRY_LINE + _LOCK_LINE,
            {"app.py": _PYTHON_PROGRAM, DEFAULT_REQUIREMENTS: ""},
            _LOCK,
            Localized(
                en="`app.py`: write `predict`; what the columns and the answer mean stands at the top.",
                zh="`app.py`：编写 `predict`，各列和答案的含义写在文件开头。",
            ),
        ),
        "command": FormTemplate(
            _COMMAND_LINES + _LOCK_LINE,
            {"answer.py": _COMMAND_PROGRAM, DEFAULT_REQUIREMENTS: ""},
            _LOCK,
            Localized(
                en="`answer.py`: write `answers`; or put a program in another language in its place and name it in "
                "`application.yaml`.",
                zh="`answer.py`：编写 `answers`；也可换成其他语言的程序，并在 `application.yaml` 中写明。",
            ),
        ),
        "onnx": FormTemplate(
            _ONNX_LINES,
            {"make_model.py": _ONNX_PROGRAM},
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
            {"make_model.py": _SKOPS_PROGRAM},
            _NO_LOCK,
            Localized(
                en="`make_model.py`: put your model in place of the one there, and run it: it writes `model.skops`.",
                zh="`make_model.py`：换成您的模型，然后运行它，写出 `model.skops`。",
            ),
            makes="model.skops",
            kinds=("label", "probability", "value"),
            types=frozenset({DataType.FLOAT, DataType.INTEGER, DataType.BOOLEAN}),
        ),
    }
)
"""Forms that a new application may have."""
