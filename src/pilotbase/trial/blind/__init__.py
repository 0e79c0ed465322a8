"""Blind baselines: programs that use no feature as a feature. Criteria that one of them meets certify nothing.

programs/     one file per program; every module that defines ``PROGRAM`` is discovered
program       the inputs and outputs of a program
judging       `judge_blind(scenario, classes, public, hidden) -> BlindFindings | None`
refusing      the consequences: an issue for the owner, a refusal when freezing a plan
"""
