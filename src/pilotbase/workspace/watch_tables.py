"""The tables of the watch: observations, labels, cohorts, states of detectors. The migrations build them."""

from __future__ import annotations
