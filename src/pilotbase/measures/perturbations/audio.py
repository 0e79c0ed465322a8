"""Perturbations of sounds: a column of arrays (samples,), floats around 1 at full scale, or whole numbers.

Shares of time and of frequencies need no rate. Each sound is changed independently; silence stays silent.
"""

from __future__ import annotations

from abc import abstractmethod
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotbase.measures.perturbations.definition import (
    COLUMNS,
    SHARE,
    Column,
    FieldRef,
    Perturbation,
    PerturbationParameter,
    of_each,
)
from pilotbase.measures.perturbations.series import runs

Floats = NDArray[np.float64]


class _OfSounds(Perturbation):
    """A change of each sound independently."""

    kinds = frozenset({"audio"})

    def change(self, column: Column, place: FieldRef) -> Column:
        return of_each(column, lambda sound: _as_before(self.sound(sound.astype(np.float64), place.random), sound))

    @abstractmethod
    def sound(self, samples: Floats, random: np.random.Generator) -> Floats:
        """Return samples, shape (samples,), changed."""


class Hiss(_OfSounds):
    """Adds white noise to each sound with probability ``share``, ``snr`` decibels below it (in power)."""

    name = "hiss"
    parameters = (SHARE, PerturbationParameter("snr", Decimal(20), Decimal(-20), Decimal(100)), COLUMNS)

    def sound(self, samples: Floats, random: np.random.Generator) -> Floats:
        touched, noise = random.random() < self.number("share"), random.standard_normal(len(samples))
        power = float(np.mean(samples**2)) if len(samples) else 0.0
        return samples + noise * np.sqrt(power * 10 ** (-self.number("snr") / 10)) if touched else samples


class Loudness(_OfSounds):
    """Makes sounds louder by ``decibels`` (fainter if negative); values beyond full scale are clipped."""

    name = "loudness"
    parameters = (PerturbationParameter("decibels", low=Decimal(-60), high=Decimal(60)), COLUMNS)

    def sound(self, samples: Floats, random: np.random.Generator) -> Floats:
        return samples * 10 ** (self.number("decibels") / 20)


class Dropouts(_OfSounds):
    """Silences runs of ``length`` samples that cover ``share`` of each sound: packets are lost, a contact is loose."""

    name = "dropouts"
    parameters = (
        SHARE,
        PerturbationParameter("length", Decimal(1600), Decimal(1), Decimal(1_000_000), whole=True),
        COLUMNS,
    )

    def sound(self, samples: Floats, random: np.random.Generator) -> Floats:
        gone = runs(len(samples), self.number("share"), int(self.number("length")), random)
        return np.where(gone, 0.0, samples)


class Clipping(_OfSounds):
    """Clips values above 1 - ``share`` of a sound's own peak: an overdriven microphone."""

    name = "clipping"
    parameters = (PerturbationParameter("share", high=Decimal("0.99")), COLUMNS)

    def sound(self, samples: Floats, random: np.random.Generator) -> Floats:
        limit = (1 - self.number("share")) * np.abs(samples).max(initial=0.0)
        return np.clip(samples, -limit, limit)


class BandLimit(_OfSounds):
    """Takes away the upper ``share`` of the frequencies, up to half the rate: a telephone line."""

    name = "band_limit"
    parameters = (PerturbationParameter("share", high=Decimal("0.99")), COLUMNS)

    def sound(self, samples: Floats, random: np.random.Generator) -> Floats:
        if not len(samples):
            return samples
        spectrum = np.fft.rfft(samples)
        spectrum[max(int((1 - self.number("share")) * len(spectrum)), 1) :] = 0
        return np.fft.irfft(spectrum, len(samples))


def _as_before(samples: Floats, sound: NDArray[Any]) -> NDArray[Any]:
    """Return ``samples`` in the sound's own type, within its full scale, or its own peak where that is higher."""
    if sound.dtype.kind in "iu":
        ends = np.iinfo(sound.dtype)
        return np.clip(np.rint(samples), ends.min, ends.max).astype(sound.dtype)
    most = max(float(np.abs(sound).max(initial=0.0)), 1.0)
    return np.clip(samples, -most, most).astype(sound.dtype)
