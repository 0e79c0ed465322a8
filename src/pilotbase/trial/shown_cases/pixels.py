"""Images as they are shown: small enough for a page, and striped where a mask differs."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotbase.charts.png import png_of
from pilotbase.documents.figures import ShownImage
from pilotbase.protocols.array_cells import array_in

LONGER_SIDE = 240
"""Pixels; of larger images every so many-th is shown."""
_STRIPE, _DARK, _LIGHT = 3, (20, 20, 20), (255, 214, 10)
Pixels = NDArray[np.uint8]


def read_pixels(cell: str | None) -> Pixels | None:
    """Return the pixels in a cell of a table as (height, width, 3); None for none, and for what is no image."""
    try:
        pixels = array_in(cell) if cell else None
    except ValueError:
        return None
    if pixels is None or pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or not pixels.size:
        return None
    grey = pixels if pixels.ndim == 2 else pixels[:, :, 0] if pixels.shape[2] < 3 else None
    return np.stack([grey] * 3, axis=2) if grey is not None else pixels[:, :, :3]


def shown_image(pixels: Pixels) -> ShownImage:
    """Return an image as it is shown."""
    height, width = pixels.shape[:2]
    return ShownImage(png=b64encode(png_of(_smaller(pixels))).decode("ascii"), height=height, width=width)


def striped(pixels: Pixels | None, differing: NDArray[np.bool_]) -> Pixels:
    """Return an image, pale, with stripes where pixels differ; on white where there is no image of that size."""
    height, width = differing.shape
    fits = pixels is not None and pixels.shape[:2] == differing.shape
    ground: NDArray[Any] = pixels if fits and pixels is not None else np.full((height, width, 3), 255, dtype=np.uint8)
    small, mask = _smaller(ground), _smaller(differing)
    # So small an image is enlarged first, so that a pixel of it holds stripes.
    factor = max(1, LONGER_SIDE // max(small.shape[:2]))
    large, marked = (each.repeat(factor, axis=0).repeat(factor, axis=1) for each in (small, mask))
    rows, columns = np.indices(marked.shape)
    stripes = np.where(((rows + columns) // _STRIPE % 2 == 0)[:, :, None], _DARK, _LIGHT)
    pale = large // 2 + 96
    return np.where(marked[:, :, None], stripes, pale).astype(np.uint8)


def _smaller(pixels: NDArray[Any]) -> NDArray[Any]:
    step = -(-max(pixels.shape[:2]) // LONGER_SIDE)
    return pixels[::step, ::step]
