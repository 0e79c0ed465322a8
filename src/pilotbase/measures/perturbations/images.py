"""Perturbations of images, unsigned bytes of shape (height, width, channels), or (height, width) where they are grey.

A column is an array of objects, or all images in one array with the rows in front.
"""

from abc import abstractmethod
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotbase.measures.perturbations.definition import (
    COLUMNS,
    Column,
    FieldRef,
    Perturbation,
    PerturbationParameter,
    of_each,
)

Floats = NDArray[np.float64]

_LUMINANCE = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61], [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56], [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77], [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101], [72, 92, 95, 98, 112, 100, 103, 99],
    ]
)  # fmt: skip
_CHROMINANCE = np.full((8, 8), 99)
_CHROMINANCE[:4, :4] = [[17, 18, 24, 47], [18, 21, 26, 66], [24, 26, 56, 99], [47, 66, 99, 99]]
"""Quantisation tables of ITU-T T.81, annex K.1."""
_TO_YCBCR = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
"""ITU-T T.871, clause 7."""


class _OfImages(Perturbation):
    """A change of each image independently, whatever the sizes of the others."""

    kinds = frozenset({"image"})

    def change(self, column: Column, place: FieldRef) -> Column:
        if column.dtype == object:
            return of_each(column, lambda image: self._of_any_depth(image, place.random))
        changed = [self._of_any_depth(image, place.random) for image in column]
        return np.stack(changed) if changed else column.copy()

    @abstractmethod
    def picture(self, image: Column, random: np.random.Generator) -> Column:
        """Return an image of shape (height, width, channels), changed."""

    def _of_any_depth(self, image: Column, random: np.random.Generator) -> Column:
        return self.picture(np.atleast_3d(image), random).reshape(image.shape)


class Blur(_OfImages):
    """Smooths with a Gaussian of ``sigma`` pixels."""

    name = "blur"
    parameters = (PerturbationParameter("sigma", high=Decimal(50)), COLUMNS)

    def picture(self, image: Column, random: np.random.Generator) -> Column:
        from scipy.ndimage import gaussian_filter  # every trial loads this file, few perturb images

        sigma = self.number("sigma")
        return _bytes(gaussian_filter(image.astype(np.float64), (sigma, sigma, 0), mode="nearest"))


class PixelNoise(_OfImages):
    """Adds normal noise of ``scale`` times the range of 255 to every value."""

    name = "pixel_noise"
    parameters = (PerturbationParameter("scale"), COLUMNS)

    def picture(self, image: Column, random: np.random.Generator) -> Column:
        return _bytes(image + 255 * self.number("scale") * random.standard_normal(image.shape))


class Exposure(_OfImages):
    """Makes images brighter by ``stops`` (darker if negative): values times 2 to that power."""

    name = "exposure"
    parameters = (PerturbationParameter("stops", low=Decimal(-8), high=Decimal(8)), COLUMNS)

    def picture(self, image: Column, random: np.random.Generator) -> Column:
        return _bytes(image * 2.0 ** self.number("stops"))


class Crop(_OfImages):
    """Cuts ``share`` of height and width off at a random place and stretches the rest to the old size (bilinear)."""

    name = "crop"
    parameters = (PerturbationParameter("share", high=Decimal("0.9")), COLUMNS)

    def picture(self, image: Column, random: np.random.Generator) -> Column:
        share = self.number("share")
        return _stretched(image, random.random(2) * share, 1 - share)


class Jpeg(_OfImages):
    """Loses what JPEG loses at quality 100·(1 - ``loss``): 8x8 cosine blocks, quantised; no subsampling of colour."""

    name = "jpeg"
    parameters = (PerturbationParameter("loss", high=Decimal("0.99")), COLUMNS)

    def picture(self, image: Column, random: np.random.Generator) -> Column:
        quality = 100 * (1 - self.number("loss"))
        scale = 50 / quality if quality < 50 else 2 - quality / 50
        tables = [np.clip(np.floor(table * scale + 0.5), 1, 255) for table in (_LUMINANCE, _CHROMINANCE)]
        pixels, coloured = image.astype(np.float64), image.shape[-1] == 3
        planes = pixels @ _TO_YCBCR.T if coloured else pixels - 128
        if coloured:
            planes[..., 0] -= 128
        for channel in range(planes.shape[-1]):
            table = tables[1] if coloured and channel else tables[0]
            planes[..., channel] = _quantised(planes[..., channel], table)
        if not coloured:
            return _bytes(planes + 128)
        planes[..., 0] += 128
        return _bytes(planes @ np.linalg.inv(_TO_YCBCR).T)


def _quantised(plane: Floats, table: NDArray[Any]) -> Floats:
    """Return a plane of shape (height, width) after quantisation of its blocks; edges are filled up."""
    from scipy.fft import dctn, idctn

    height, width = plane.shape
    filled = np.pad(plane, ((0, -height % 8), (0, -width % 8)), mode="edge")
    high, wide = filled.shape[0] // 8, filled.shape[1] // 8
    blocks = filled.reshape(high, 8, wide, 8).swapaxes(1, 2)
    kept = np.rint(dctn(blocks, axes=(-2, -1), norm="ortho") / table) * table
    back: Floats = idctn(kept, axes=(-2, -1), norm="ortho").swapaxes(1, 2).reshape(filled.shape)
    return back[:height, :width]


def _stretched(image: Column, start: Floats, part: float) -> Column:
    """Return the window that begins at ``start`` and has ``part`` of each side (shares), in the size of ``image``."""
    lines, columns = (
        np.clip((start[axis] + part * (np.arange(size) + 0.5) / size) * size - 0.5, 0, size - 1)
        for axis, size in enumerate(image.shape[:2])
    )
    pixels = image.astype(np.float64)
    for axis, at in enumerate((lines, columns)):
        below = np.floor(at).astype(np.int64)
        above = np.minimum(below + 1, image.shape[axis] - 1)
        part_above = (at - below).reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
        pixels = np.take(pixels, below, axis) * (1 - part_above) + np.take(pixels, above, axis) * part_above
    return _bytes(pixels)


def _bytes(values: NDArray[Any]) -> NDArray[np.uint8]:
    pixels: NDArray[np.uint8] = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return pixels
