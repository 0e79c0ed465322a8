"""How a new application of each form starts out: its part of the manifest, its files, and the steps in its README.

Programs, manifest and README are files of `starters`, as `str.format` reads them: comments are in English and Chinese.
The scenario's words appear only as comments or values, never as code.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType

from pilotbase.documents.application import DEFAULT_REQUIREMENTS, Runtime
from pilotbase.documents.base import Localized
from pilotbase.documents.contract import ARRAYS, TARGETS, DataType


def _starter(name: str) -> str:
    """Return a template of this folder; programs begin with a comment on the columns."""
    folder = resources.files("pilotbase.catalogue") / "starters"
    columns, template = (folder.joinpath(f"{one}.txt").read_text("utf-8") for one in ("columns", name))
    return template.replace("{about_columns}\n", columns)


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
MANIFEST_TEMPLATE, README_TEMPLATE = _starter("manifest"), _starter("readme")
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
            {"app.py": _starter("python"), DEFAULT_REQUIREMENTS: ""},
            _LOCK,
            Localized(
                en="`app.py`: write `predict`; what the columns and the answer mean stands at the top.",
                zh="`app.py`：编写 `predict`，各列和答案的含义写在文件开头。",
            ),
        ),
        "command": FormTemplate(
            _COMMAND_LINES + _LOCK_LINE,
            {"answer.py": _starter("command"), DEFAULT_REQUIREMENTS: ""},
            _LOCK,
            Localized(
                en="`answer.py`: write `answers`; or put a program in another language in its place and name it in "
                "`application.yaml`.",
                zh="`answer.py`：编写 `answers`；也可换成其他语言的程序，并在 `application.yaml` 中写明。",
            ),
        ),
        "onnx": FormTemplate(
            _ONNX_LINES,
            {"make_model.py": _starter("onnx")},
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
            {"make_model.py": _starter("skops")},
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
