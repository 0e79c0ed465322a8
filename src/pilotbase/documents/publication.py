"""Our strict profile: what a dataset must say before a base publishes it, beyond what Croissant itself refuses.

The same rules apply to reading, drafting and writing a description, and to the catalogue that publishes it.

mlcroissant 1.1.1 accepts descriptions without name, licence or creator, with invalid hashes, or with terms that permit
nothing we understand; readers find out too late.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from pilotbase.documents.base import Step, missing_for
from pilotbase.documents.dataset import DataField, Dataset, FileObject, RecordSet
from pilotbase.documents.errors import InputError
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Opening

_NAME = r"[A-Za-z0-9][A-Za-z0-9.+-]{0,60}"
_EXPRESSION = re.compile(rf"\(?{_NAME}\)?(?: (?:AND|OR|WITH) \(?{_NAME}\)?)*")
_ADDRESS = re.compile(r"(?:https?|urn|doi):\S{3,}")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_SCHEMES = frozenset(
    {
        "http",
        "https",
        "ftp",
        "ftps",
        "sftp",
        "git",
        "git+https",
        "hdl",
        "hf",
        "s3",
        "gs",
        "az",
        "abfs",
        "doi",
        "ark",
        "urn",
        "postgresql",
    }
)
_NO_LICENCE = frozenset({"custom", "none", "other", "proprietary", "unknown", "unspecified", "tbd", "na", "n.a."})


class Lack(NamedTuple):
    """What a dataset is missing, and where."""

    path: str
    problem: Text


def missing(dataset: Dataset) -> Iterator[Lack]:
    """Yield everything that ``dataset`` needs before it can be published: its path, and what belongs there."""
    for path in missing_for(dataset, Step.PUBLISH):
        field = Dataset.model_fields.get(path)
        yield Lack(field.alias or path if field is not None else path, text("croissant.missing"))
    if dataset.license is not None and not names_licence(dataset.license):
        yield Lack("license", text("croissant.free_licence", found=dataset.license[:200]))
    if dataset.url is not None and not _leads_somewhere(dataset.url, relative=False):
        yield Lack("url", text("croissant.strange_address", found=dataset.url[:200]))
    if not dataset.record_sets:
        yield Lack("recordSet", text("croissant.missing"))
    for index, resource in enumerate(dataset.distribution):
        if not resource.encoding_format:
            yield Lack(f"distribution[{index}].encodingFormat", text("croissant.no_format"))
        if isinstance(resource, FileObject):
            yield from _file(resource, f"distribution[{index}]", is_closed(dataset))
    for index, record_set in enumerate(dataset.record_sets):
        yield from _record_set(record_set, f"recordSet[{index}]", dataset.opening is Opening.OPEN)
    if any(record_set.labels for record_set in dataset.record_sets):
        for name in ("annotation_protocol", "annotations_per_item"):
            if getattr(dataset.responsible, name) is None:
                yield Lack(f"responsible.{name}", text("croissant.unsaid_labels"))


def given_away(dataset: Dataset) -> Iterator[Lack]:
    """Yield the plain hashes of closed files: an owner's own description may hold them, a published one may not."""
    if is_closed(dataset):
        for index, file in enumerate(dataset.distribution):
            if isinstance(file, FileObject) and file.sha256 is not None:
                yield Lack(f"distribution[{index}].sha256", text("record.closed_data_hash"))


def is_closed(dataset: Dataset) -> bool:
    """Return whether nobody may download the files of a dataset."""
    return dataset.opening is Opening.COMPUTE_TO_DATA


def require_public(dataset: Dataset) -> None:
    """Raise `InputError` if a public description would contain records that aren't public."""
    if dataset.opening is not Opening.OPEN and any(one.inline is not None for one in dataset.record_sets):
        raise InputError("croissant.closed_inline")


def names_licence(licence: str) -> bool:
    """Return whether ``licence`` is an address or has the form of an SPDX expression, and isn't a placeholder."""
    if _ADDRESS.fullmatch(licence):
        return True
    return _EXPRESSION.fullmatch(licence) is not None and licence.lower() not in _NO_LICENCE


def _leads_somewhere(address: str, relative: bool) -> bool:
    """Return whether an address has a scheme for fetching or naming data, or no scheme where that is allowed."""
    scheme = _SCHEME.match("".join(address.split()))
    return relative if scheme is None else scheme[1].lower() in _SCHEMES


def _file(file: FileObject, path: str, closed: bool) -> Iterator[Lack]:
    if closed and not file.contained_in and file.commitment is None and file.sha256 is None:
        yield Lack(f"{path}.commitment", text("croissant.no_commitment"))
    if not closed and not file.contained_in and file.sha256 is None:
        yield Lack(f"{path}.sha256", text("croissant.missing"))
    if file.content_size is None and not file.contained_in:
        yield Lack(f"{path}.contentSize", text("croissant.missing"))
    if file.content_url is not None and not _leads_somewhere(file.content_url, relative=True):
        yield Lack(f"{path}.contentUrl", text("croissant.strange_address", found=file.content_url[:200]))
    if not closed and file.content_url is None:
        yield Lack(f"{path}.contentUrl", text("croissant.no_address"))


def _record_set(record_set: RecordSet, path: str, is_open: bool) -> Iterator[Lack]:
    if not is_open and record_set.inline is not None:
        yield Lack(f"{path}.inline", text("croissant.closed_inline"))
    if not record_set.fields:
        yield Lack(f"{path}.field", text("croissant.missing"))
    above = {field.parent for field in record_set.fields}
    for index, field in enumerate(record_set.fields):
        if field.name not in above:
            yield from _leaf(field, f"{path}.field[{index}]", record_set.inline is not None)


def _leaf(field: DataField, path: str, inline: bool) -> Iterator[Lack]:
    if field.source is None and field.value is None and not inline:
        yield Lack(f"{path}.source", text("croissant.no_source"))
    if field.data_type is None and (field.source is None or field.source.column is None):
        yield Lack(f"{path}.dataType", text("croissant.no_type"))
