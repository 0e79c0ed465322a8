"""Watch 监测: observations → detectors → risk warnings → incidents → countermeasures."""
