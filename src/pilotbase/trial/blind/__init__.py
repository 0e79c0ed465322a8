"""Blind baselines: programs that read no feature as a feature. Criteria that one of them meets certify nothing.

programs/     one file a program; whatever names ``PROGRAM`` there is found
program       what a program is given, and what it gives
judging       `judge_blind(scenario, classes, public, hidden) -> BlindFindings | None`
refusing      what follows: an issue for the owner, a refusal at the freeze
"""
