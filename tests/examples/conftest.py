"""Tests load the examples' modules, and leave no trace beside them."""

import sys

import pytest


@pytest.fixture(autouse=True)
def no_bytecode_in_the_tree(monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
