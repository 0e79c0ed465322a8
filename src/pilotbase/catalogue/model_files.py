"""Model files, recognised by what they hold, and what they say of themselves without being loaded.

A pickle is searched for the modules that it names, never unpickled; of the other formats the few fields are read that
tell features, classes and objective.
"""

from __future__ import annotations

import bz2
import json
import lzma
import re
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pilotbase.documents.errors import InputError
from pilotbase.documents.yaml_reader import parse_yaml

_SEARCHED = 64 << 20
"""Bytes of a model, unpacked, that are searched for what it says of itself."""
_MANIFEST_BYTES = 4 << 20
_SCHEMA_BYTES = 256 << 20
DEFAULT_NAMES = re.compile(r"(?:f|x|Column_|feature_|)\d+")
"""Names of columns that a library makes up if it was given none."""
LIBRARIES = ("sklearn", "lightgbm", "xgboost", "catboost", "imblearn")
"""Modules of which a pickle must name one to be an estimator."""


@dataclass(frozen=True)
class ModelFile:
    """A model, as far as its file tells of it; what it does not tell is None or empty."""

    format: str
    path: Path
    file: str
    """Its name in an application's folder."""
    columns: tuple[str, ...] = ()
    """Names of the features that it was trained on, in its order."""
    count: int | None = None
    """Number of its features."""
    answers: str | None = None
    """``share``: the probability of the second class; ``shares``: of each class; ``value``: a number."""
    classes: int | None = None
    objective: str = ""
    modules: frozenset[str] = frozenset()
    """Top-level modules beyond the standard library that a pickle names."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Module → the version with which it was stored."""
    wants_frame: bool = False
    """It was fitted on a data frame."""
    beside: tuple[str, ...] = ()
    """Files beside it that it needs."""


def recognise(path: Path) -> ModelFile:
    """Return the model at ``path``, a file or a folder of MLflow.

    Raises:
        InputError: no such file, no format that is known, or one that is only part of a model; says what to do.
    """
    if path.name == "MLmodel" or (path / "MLmodel").is_file():
        return _mlflow(path.parent if path.name == "MLmodel" else path)
    if not path.is_file():
        raise InputError("catalogue.model_not_there", model=path)
    with path.open("rb") as opened:
        head = opened.read(_SEARCHED)
    for read in (_zipped, _catboost, _lightgbm, _xgboost, _pickled, _onnx):
        try:
            found = read(path, head)
        except (KeyError, IndexError, UnicodeDecodeError, json.JSONDecodeError, struct.error, zipfile.BadZipFile):
            found = None  # it begins like that format, and is broken
        if found is not None:
            return found
    raise InputError("catalogue.model_unknown", model=path, begins=ascii(head[:16])[2:-1])


def _mlflow(folder: Path) -> ModelFile:
    """Return the model of a folder of MLflow, if the adapter reads its flavour."""
    described = parse_yaml((folder / "MLmodel").read_bytes()[:_MANIFEST_BYTES], "MLmodel")
    flavours = described.get("flavors") if isinstance(described, dict) else None
    if not isinstance(flavours, dict):
        raise InputError("catalogue.model_unknown", model=folder / "MLmodel", begins="")
    sklearn = flavours.get("sklearn") or {}
    if "onnx" in flavours or sklearn.get("serialization_format") == "skops":
        return ModelFile("mlflow", folder, "model")
    inner = [one.get("model_path") or one.get("pickled_model") or one.get("data") for one in flavours.values()]
    file = next((folder / str(name) for name in inner if name and (folder / str(name)).is_file()), None)
    if file is None:
        raise InputError("catalogue.model_flavour", model=folder, flavours=sorted(map(str, flavours)))
    raise InputError("catalogue.model_flavour_file", model=folder, flavours=sorted(map(str, flavours)), file=file)


def _zipped(path: Path, head: bytes) -> ModelFile | None:
    """Return a model of skops or a TorchScript program; a state dict of torch has no program."""
    if not head.startswith(b"PK\x03\x04") or not zipfile.is_zipfile(path):
        return None
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if "schema.json" in names:
            return ModelFile("skops", path, "model.skops", count=_features_of_skops(archive))
    parts = {tuple(name.split("/")[1:2]) for name in names}
    if ("code",) in parts and ("constants.pkl",) in parts:
        return ModelFile("torch", path, "model.pt")
    if ("data.pkl",) in parts:
        raise InputError("catalogue.model_state", model=path)
    return None


def _features_of_skops(archive: zipfile.ZipFile) -> int | None:
    """Return the number of features of the outermost estimator, if it says one (a pipeline does not)."""
    try:
        with archive.open("schema.json") as opened:
            outermost = json.loads(opened.read(_SCHEMA_BYTES))
        return int(outermost["content"]["content"]["n_features_in_"]["content"])
    except (KeyError, TypeError, ValueError, zipfile.BadZipFile, zlib.error):
        return None


def _catboost(path: Path, head: bytes) -> ModelFile | None:
    return ModelFile("catboost", path, "model.cbm") if head.startswith(b"CBM1") else None


_LIGHTGBM_ANSWERS = {
    "binary": "share",
    "cross_entropy": "share",
    "multiclass": "shares",
    "multiclassova": "shares",
}


def _lightgbm(path: Path, head: bytes) -> ModelFile | None:
    """Return a booster of LightGBM by the lines before its first tree."""
    if not re.match(rb"tree\r?\nversion=v\d", head):
        return None
    lines = head.partition(b"\nTree=")[0].decode("utf-8", "replace").splitlines()
    said = dict(line.split("=", 1) for line in lines if "=" in line)
    objective = said.get("objective", "").split(" ")[0]
    answers = _LIGHTGBM_ANSWERS.get(objective, "value" if objective else None)
    return ModelFile(
        "lightgbm",
        path,
        "model.txt",
        columns=tuple(said.get("feature_names", "").split()),
        count=_number(said.get("max_feature_idx"), more=1),
        answers=answers,
        classes=_number(said.get("num_class")) if answers == "shares" else 2 if answers else None,
        objective=objective,
    )


_XGBOOST_ANSWERS = {"binary:logistic": "share", "multi:softprob": "shares", "multi:softmax": "shares"}
_XGBOOST_OTHERS = ("binary:", "multi:", "rank:")


def _xgboost(path: Path, head: bytes) -> ModelFile | None:
    """Return a booster of XGBoost, in JSON or UBJSON: both spell keys and texts alike, but for what is between them."""
    if not re.match(rb'\s*\{\s*("|L.{8}|[iU].)(learner|version)\b', head, re.DOTALL):
        return None
    with path.open("rb") as opened:
        opened.seek(max(0, path.stat().st_size - _SEARCHED))
        tail = opened.read()
    objective = _text_after(tail, b"objective", b"name") or ""
    others = None if objective.startswith(_XGBOOST_OTHERS) else "value"
    answers = _XGBOOST_ANSWERS.get(objective, others if objective else None)
    return ModelFile(
        "xgboost",
        path,
        "model.json" if b'"' in head[:200] else "model.ubj",
        columns=_names_after(head, b"feature_names"),
        count=_number(_text_after(tail, b"num_feature")),
        answers=answers,
        classes=_number(_text_after(tail, b"num_class")) if answers == "shares" else 2,
        objective=objective,
    )


_JSON_TEXT = rb'"((?:[^"\\]|\\.)*)"'
_UBJSON_SIZES = {b"i": "b", b"U": "B", b"I": ">h", b"l": ">i", b"L": ">q"}


def _text_after(content: bytes, *keys: bytes) -> str | None:
    """Return the text that is the value of the last of ``keys``, each found behind the one before."""
    position = 0
    for key in keys:
        position = content.rfind(key, position) if position == 0 else content.find(key, position)
        if position < 0:
            return None
        position += len(key)
    return next(_texts(_value(content[position : position + 400])), None)


def _names_after(content: bytes, key: bytes) -> tuple[str, ...]:
    """Return the list of texts that is the value of ``key``."""
    position = content.find(key)
    if position < 0:
        return ()
    rest = _value(content[position + len(key) :])
    if rest.startswith(b"[#"):
        count, rest = _ubjson_size(rest[2:])
        return tuple(name for name, _ in zip(_texts(rest), range(count), strict=False))
    inside = re.match(rb"\[((?:\s|,|" + _JSON_TEXT + rb")*)\]", rest)
    return tuple(_texts(inside[1])) if inside else ()


def _value(content: bytes) -> bytes:
    """Return what follows a key: in JSON behind its quote and a colon."""
    between = re.match(rb'(?:"\s*:\s*)?', content)
    return content[between.end() :] if between else content


def _texts(content: bytes) -> Iterator[str]:
    """Yield the texts that ``content`` begins with, in JSON or UBJSON."""
    while content:
        content = content.lstrip(b", \r\n\t")
        if match := re.match(_JSON_TEXT, content):
            yield json.loads(match[0])
            content = content[match.end() :]
        elif content.startswith(b"S") and content[1:2] in _UBJSON_SIZES:
            length, content = _ubjson_size(content[1:])
            yield content[:length].decode("utf-8", "replace")
            content = content[length:]
        else:
            return


def _ubjson_size(content: bytes) -> tuple[int, bytes]:
    form = struct.Struct(_UBJSON_SIZES[content[:1]])
    return int(form.unpack(content[1 : 1 + form.size])[0]), content[1 + form.size :]


def _number(said: str | None, more: int = 0) -> int | None:
    return int(said) + more if said and said.isdecimal() else None


_UNPACKERS: Mapping[bytes, Callable[[], Any]] = {
    b"\x78": lambda: zlib.decompressobj(),
    b"\x1f\x8b": lambda: zlib.decompressobj(31),
    b"BZh": bz2.BZ2Decompressor,
    b"\xfd7zXZ": lzma.LZMADecompressor,
    b"\x5d\x00": lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE),
}
"""How a file that joblib compressed begins → what unpacks it."""
_TEXT_BEFORE = rb"(?:\x8c.|X.{4})"
_MODULES = re.compile(
    _TEXT_BEFORE + rb"([A-Za-z_][\w.]*)\x94?(?:q.|r.{4})?" + _TEXT_BEFORE + rb"[A-Za-z_][\w.]*\x94?\x93", re.DOTALL
)
"""Two texts that STACK_GLOBAL joins (protocol 4 and above); one marked as known in between."""
_OLD_MODULES = re.compile(rb"c([A-Za-z_][\w.]*)\n[A-Za-z_][\w.]*\n")
_STORED_WITH = re.compile(
    rb"_sklearn_version(?:\x94|q.|r.{4})?" + _TEXT_BEFORE + rb"(\d+(?:\.\d+)+(?:\.?(?:a|b|rc|dev|post)\d+)*)", re.DOTALL
)
_OLD_STANDARD = {"__builtin__", "copy_reg"}
_TORCH_MAGIC = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."


def _pickled(path: Path, head: bytes) -> ModelFile | None:
    """Return an estimator that pickle or joblib stored."""
    content = _unpacked(head)
    if content is None or not re.match(rb"\x80[\x02-\x05]", content):
        return None
    if content[2:].startswith(_TORCH_MAGIC):
        raise InputError("catalogue.model_state", model=path)
    named = set((_MODULES if content[1] > 3 else _OLD_MODULES).findall(content))
    modules = {one.decode().partition(".")[0] for one in named}
    if "__main__" in modules:
        raise InputError("catalogue.model_of_main", model=path)
    if not modules & set(LIBRARIES):
        raise InputError("catalogue.model_no_estimator", model=path, modules=sorted(modules) or "-")
    stored = _STORED_WITH.search(content)
    return ModelFile(
        "sklearn",
        path,
        "model.joblib",
        modules=frozenset(modules - sys.stdlib_module_names - _OLD_STANDARD),
        versions={"sklearn": stored[1].decode()} if stored else {},
        wants_frame=b"feature_names_in_" in content,
    )


def _unpacked(head: bytes) -> bytes | None:
    """Return the beginning of a pickle, unpacked; None if it is packed and broken."""
    unpacker = next((made for start, made in _UNPACKERS.items() if head.startswith(start)), None)
    if unpacker is None:
        return head
    try:
        unpacked: bytes = unpacker().decompress(head, _SEARCHED)
    except (zlib.error, lzma.LZMAError, OSError, EOFError):
        return None
    return unpacked


def _onnx(path: Path, head: bytes) -> ModelFile | None:
    """Return an ONNX model by its graph (onnx.proto: ModelProto 7, GraphProto 5 and 11)."""
    try:
        whole = head if len(head) < _SEARCHED else path.read_bytes()
        (graph,) = [value for number, value in _protobuf(whole) if number == 7]
        parts = list(_protobuf(graph))
        tensors = [list(_protobuf(value)) for number, value in parts if number == 5]
        weights = {_said(one, 8) for one in tensors}
        inputs = [list(_protobuf(value)) for number, value in parts if number == 11]
        named = {_said(one, 1): one for one in inputs if _said(one, 1) not in weights}
        widths = [_width(one) for one in named.values()]
        entries = [list(_protobuf(value)) for one in tensors for number, value in one if number == 13]
    except (ValueError, IndexError, TypeError):
        return None
    if not any(number == 1 for number, _ in parts):
        return None
    beside = sorted({_said(entry, 2) for entry in entries if _said(entry, 1) == "location"})
    columns, count = ((), widths[0]) if len(named) == 1 else (tuple(named), len(named))
    return ModelFile("onnx", path, "model.onnx", columns, count, beside=tuple(beside))


def _width(value_info: list[tuple[int, Any]]) -> int | None:
    """Return the second dimension of an input's matrix, if it is one and fixed (ValueInfoProto 2, 1, 2, 1, 1)."""
    inner = value_info
    for number in (2, 1, 2):
        found = next((value for one, value in inner if one == number), b"")
        inner = list(_protobuf(found))
    dimensions = [dict(_protobuf(value)) for number, value in inner if number == 1]
    width = dimensions[1].get(1) if len(dimensions) == 2 else None
    return width if isinstance(width, int) else None


def _said(message: list[tuple[int, Any]], number: int) -> str:
    return next((value.decode() for one, value in message if one == number), "")


def _protobuf(message: bytes) -> Iterator[tuple[int, Any]]:
    """Yield (number, value) of each field; raises `ValueError` or `IndexError` where it is no protobuf."""
    position = 0

    def varint() -> int:
        nonlocal position
        value = shift = 0
        while True:
            byte = message[position]
            position += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while position < len(message):
        key = varint()
        number, wire = key >> 3, key & 7
        if wire == 0:
            yield number, varint()
            continue
        size = varint() if wire == 2 else {1: 8, 5: 4}.get(wire, -1)
        if size < 0 or position + size > len(message) or number == 0:
            raise ValueError(wire)
        yield number, message[position : position + size]
        position += size
