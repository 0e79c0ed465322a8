"""A case put in words: the template of the manifest, its places filled with what the features hold."""

from __future__ import annotations

import string
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotbase.compute.endpoints.wire import misfit, require_cells
from pilotbase.documents.contract import Contract, DataType
from pilotbase.documents.endpoint import template_features
from pilotbase.protocols.frames import MISSING_BOOLEAN, FeatureBatch

MISSING = "–"
"""Stands where a case has nothing."""


class Template:
    """The question about a case; nothing in it is evaluated, so that it can reach nothing but features."""

    def __init__(self, template: str, contract: Contract) -> None:
        """Raises `BoxEnded`: it names what is no feature, or features are arrays."""
        require_cells(contract)
        self._types = {field.name: field.data_type for field in contract.features}
        unknown = [name for name in template_features(template) if name not in self._types]
        if unknown:
            raise misfit(f"the template names what is no feature: {', '.join(unknown)}")
        self._parts = [(literal, name) for literal, name, *_ in string.Formatter().parse(template)]

    def words(self, batch: FeatureBatch) -> Iterator[str]:
        """Yield the question about each case of ``batch``."""
        spelled = {name: _spelled(batch.columns[name], self._types[name]) for _, name in self._parts if name}
        for row in range(batch.rows):
            yield "".join(literal + (spelled[name][row] if name else "") for literal, name in self._parts)


def _spelled(column: NDArray[Any], data_type: DataType) -> list[str]:
    values = column.tolist()
    if data_type is DataType.BOOLEAN:
        return [MISSING if value in (None, MISSING_BOOLEAN) or value != value else _truth(value) for value in values]
    if data_type is DataType.INTEGER and column.dtype == np.float64:  # floats where some are missing
        return [MISSING if value != value else str(int(value)) for value in values]
    return [MISSING if value is None or value != value else str(value) for value in values]


def _truth(value: object) -> str:
    return "true" if value else "false"
