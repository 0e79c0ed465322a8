"""The export of Label Studio, JSON and JSON_MIN: annotators' labels, and what else it contains that does not count.

In JSON each task has ``annotations`` by ``completed_by`` (a number, or an object with ``id``), each with a ``result``:
a list of entries by ``from_name`` and ``type``. In JSON_MIN each annotation is a record of its own: fields of the task,
``annotator``, and one field a control tag. Supported are the tags Choices (one choice), Number and Rating.

Source: Label Studio documentation, "Export annotations" and "Label Studio task format", versions of 2021 to 2025.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from pilotbase.data.labelling.label_tables import (
    LARGEST,
    FileLabels,
    FoundLabel,
    LabelSpan,
    LeftOut,
    is_name,
    read_moment,
)
from pilotbase.documents.errors import InputError
from pilotbase.documents.files import read_bounded
from pilotbase.documents.json_reader import load_strict
from pilotbase.documents.labelling import LabelStudioPlaces
from pilotbase.documents.texts import text

MAXIMUM_BYTES = 100 << 20
MAXIMUM_NESTED = 4_000_000
"""Objects and lists of a file: a hundred megabytes of empty ones would fill the memory twenty times over."""
KINDS = ("choices", "number", "rating")
"""Types of entries that are labels of a whole item."""

_SHOWN = 80


def read_export(path: Path, places: LabelStudioPlaces) -> FileLabels:
    """Return the labels of an export, and every problem of it.

    Raises:
        InputError: it cannot be read, is too large, no JSON at all, nested too deep, or no list of tasks.
    """
    found = FileLabels()
    for number, record in enumerate(_records(path)):
        place = LabelSpan(path.name, f"[{number}]")
        if isinstance(record, dict):
            _Record(record, place, places, found).read()
        else:
            found.issues.append(place.issue(text("labelling.wrong_type", allowed="{…}", found=_shown(record))))
    return found


def _records(path: Path) -> Sequence[object]:
    file = path.name
    if path.is_file() and path.stat().st_size > MAXIMUM_BYTES:
        raise InputError("labelling.file_too_large", file=file, limit=MAXIMUM_BYTES >> 20)
    data = read_bounded(path, MAXIMUM_BYTES)
    if data.count(b"{") + data.count(b"[") > MAXIMUM_NESTED:
        raise InputError("labelling.too_many_parts", file=file, limit=MAXIMUM_NESTED)
    try:
        value = load_strict(data.decode("utf-8-sig"), finite=False)
    except RecursionError:
        raise InputError("labelling.no_json", file=file, reason=text("labelling.too_deep")) from None
    except ValueError as error:
        raise InputError("labelling.no_json", file=file, reason=str(error)[:_SHOWN]) from None
    if not isinstance(value, list):
        raise InputError("labelling.no_task_list", file=file)
    return value


class _Record:
    """One task of JSON, or one annotation of JSON_MIN."""

    def __init__(
        self, record: Mapping[str, object], place: LabelSpan, places: LabelStudioPlaces, found: FileLabels
    ) -> None:
        self._record, self._place, self._places, self._found = record, place, places, found

    def read(self) -> None:
        if "annotations" in self._record:
            self._read_task()
        elif "annotator" in self._record or "annotation_id" in self._record:
            self._read_minimal()
        else:
            self._tell("", "labelling.no_annotations")

    def _read_task(self) -> None:
        data = self._record.get("data", {})
        if not isinstance(data, dict):
            self._wrong(".data", "{…}", data)
            data = {}
        item = self._item(data, ".data")
        for name, kind in _BESIDE:
            beside = self._record.get(name)
            self._leave_out(kind, len(beside) if isinstance(beside, list) else 0)
        annotations = self._record["annotations"]
        if not isinstance(annotations, list):
            return self._wrong(".annotations", "[…]", annotations)
        for number, annotation in enumerate(annotations):
            step = f".annotations[{number}]"
            if isinstance(annotation, dict):
                self._read_annotation(item, annotation, step)
            else:
                self._wrong(step, "{…}", annotation)
        return None

    def _read_annotation(self, item: str | None, annotation: Mapping[str, object], step: str) -> None:
        for name, kind in _FLAGS:
            flag = annotation.get(name)
            if flag is not None and not isinstance(flag, bool):
                self._wrong(f"{step}.{name}", "true, false", flag)
            if flag is True:
                return self._leave_out(kind)
        result = annotation.get("result")
        if not result and (result is None or isinstance(result, list | dict)):
            return self._leave_out("empty")
        if not isinstance(result, list):
            return self._wrong(f"{step}.result", "[…]", result)
        account = self._account(annotation.get("completed_by"), f"{step}.completed_by")
        at = self._moment(annotation, step)
        label = self._label_of_result(result, f"{step}.result")
        return self._keep(item, account, label, at, step)

    def _label_of_result(self, result: list[object], step: str) -> str | None:
        entries, kinds = [], set()
        for number, entry in enumerate(result):
            if not isinstance(entry, dict):
                self._wrong(f"{step}[{number}]", "{…}", entry)
                return None
            kinds.add(_shown(entry.get("type")))
            wanted = self._places.control in (None, entry.get("from_name"))
            if entry.get("type") in KINDS and wanted:
                entries.append((number, entry))
            else:
                self._leave_out("other_control")
        controls = sorted({_shown(entry.get("from_name")) for _, entry in entries})
        if not entries and self._places.control is not None:
            self._leave_out("empty")
        elif not entries:
            self._tell(step, "labelling.no_label_kind", found=sorted(kinds), allowed=KINDS)
        elif len(controls) > 1:
            self._tell(step, "labelling.several_controls", found=controls)
        elif len(entries) > 1:
            self._tell(step, "labelling.several_labels", found=len(entries))
        else:
            ((number, entry),) = entries
            return self._label_of_value(entry.get("value"), f"{step}[{number}].value")
        return None

    def _read_minimal(self) -> None:
        control = self._places.control
        if control is None:
            fields = sorted(set(self._record) - _OF_MINIMAL)
            return self._tell("", "labelling.name_control", found=[_shown(name) for name in fields[:20]])
        item = self._item(self._record, "")
        value = self._record.get(control)
        if value is None or value == []:
            return self._leave_out("empty")
        account = self._account(self._record.get("annotator"), ".annotator")
        at = self._moment(self._record, "")
        return self._keep(item, account, self._label_of_field(value, f".{control}"), at, "")

    def _label_of_field(self, value: object, step: str) -> str | None:
        """Return the label in a field of JSON_MIN: a single choice is plain, all else in a list of objects."""
        if isinstance(value, list):
            if len(value) != 1:
                self._tell(step, "labelling.several_labels", found=len(value))
                return None
            (value,) = value
        if isinstance(value, dict):
            return self._label_of_value(value, step)
        return self._spelled(value, step)

    def _label_of_value(self, value: object, step: str) -> str | None:
        kind = next((name for name in KINDS if isinstance(value, dict) and name in value), None)
        if kind is None or not isinstance(value, dict):
            self._wrong(step, " | ".join(KINDS), value)
            return None
        label = value[kind]
        if kind == "choices":
            if not isinstance(label, list):
                self._wrong(f"{step}.choices", "[…]", label)
                return None
            if len(label) != 1:
                self._tell(f"{step}.choices", "labelling.several_labels", found=len(label))
                return None
            (label,) = label
        return self._spelled(label, f"{step}.{kind}")

    def _spelled(self, label: object, step: str) -> str | None:
        if isinstance(label, int | float) and not isinstance(label, bool) and abs(label) <= LARGEST:
            return str(int(label)) if label == int(label) else repr(label)
        if isinstance(label, str) and is_name(label):
            return label.strip()
        self._wrong(step, text("labelling.a_label"), label)
        return None

    def _item(self, data: Mapping[str, object], step: str) -> str | None:
        name = self._places.item
        value, step = (self._record.get("id"), ".id") if name is None else (data.get(name), f"{step}.{name}")
        return self._name(value, step, "labelling.no_item")

    def _account(self, account: object, step: str) -> str | None:
        named = account.get("id", account.get("email")) if isinstance(account, dict) else account
        return self._name(named, step, "labelling.no_account")

    def _name(self, value: object, step: str, lacking: str) -> str | None:
        name = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if isinstance(name, str) and is_name(name):
            return name.strip()
        if value is None:
            self._tell(step, lacking)
        else:
            self._wrong(step, text("labelling.a_name"), value)
        return None

    def _moment(self, record: Mapping[str, object], step: str) -> datetime | None:
        name = next((name for name in ("updated_at", "created_at") if record.get(name) is not None), None)
        if name is None:
            return None
        try:
            return read_moment(str(record[name]))
        except ValueError:
            self._tell(f"{step}.{name}", "labelling.no_moment", found=_shown(record[name]))
            return None

    def _keep(self, item: str | None, account: str | None, label: str | None, at: datetime | None, step: str) -> None:
        if item is not None and account is not None and label is not None:
            self._found.labels.append(FoundLabel(item, account, label, at, self._place.within(step)))

    def _leave_out(self, kind: LeftOut, count: int = 1) -> None:
        self._found.left_out[kind] += count

    def _tell(self, step: str, code: str, **params: object) -> None:
        self._found.issues.append(self._place.within(step).issue(text(code, **params)))

    def _wrong(self, step: str, allowed: object, found: object) -> None:
        self._tell(step, "labelling.wrong_type", allowed=allowed, found=_shown(found))


_FLAGS: tuple[tuple[str, LeftOut], ...] = (("was_cancelled", "skipped"), ("ground_truth", "ground_truth"))
_BESIDE: tuple[tuple[str, LeftOut], ...] = (("predictions", "prediction"), ("drafts", "draft"))
_OF_MINIMAL = {"id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", "agreement"}


def _shown(value: object) -> str:
    kinds = {dict: "{…}", list: "[…]", type(None): "null", bool: str(value).lower()}
    return kinds.get(type(value), str(value)[:_SHOWN])
