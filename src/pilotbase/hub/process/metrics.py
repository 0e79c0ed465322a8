"""Measurements of this process."""

from __future__ import annotations

import time

from pilotbase.protocols.prometheus import Measurements

MEASUREMENTS = Measurements(time.time())
observed = MEASUREMENTS.add
