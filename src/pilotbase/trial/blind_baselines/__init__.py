"""Blind baselines: programs that use no feature as a feature. Criteria that one of them meets certify nothing."""
