"""What a bridge is: a format in which others describe data, read and written by way of our dataset."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pilotbase.data.croissant.findings import Description, Spelled
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.texts import Text
from pilotbase.documents.yaml_reader import Plain


@dataclass(frozen=True)
class Written:
    """A dataset in another format, and what of it that format has no place for."""

    content: str
    left_out: tuple[Text, ...] = ()


@dataclass(frozen=True)
class Bridge:
    """One format. Reading tells every fault, lack and loss; writing tells what is left out."""

    name: str
    """As a command names it."""
    title: str
    suffix: str
    """Of a file in it."""
    recognises: Callable[[Mapping[str, Plain]], bool] | None = None
    read: Callable[[Spelled], Description] | None = None
    write: Callable[[Dataset], Written] | None = None
