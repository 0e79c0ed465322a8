"""The demonstration: sectors side by side, and what ends it."""

import threading
from types import SimpleNamespace

import pytest

from pilotbase.documents.errors import InputError
from pilotbase.worker.demo import examples, sectors


def test_after_an_error_no_further_sector_begins(monkeypatch, tmp_path):
    begun, failed = [], threading.Event()

    def tried(base, title, folder, *_):
        begun.append(folder.name)
        if folder.name == "manufacturing":
            raise InputError("worker.no_examples", folder=folder)
        failed.wait(30)
        return iter(())

    monkeypatch.setattr(sectors, "_try_sector", tried)
    monkeypatch.setattr(examples, "prepare_example", lambda base, folder, example: folder / example)
    monkeypatch.setattr(examples, "_install", lambda base, application: None)
    shutdown = sectors.ThreadPoolExecutor.shutdown

    def ended(self, *given, **how):
        shutdown(self, wait=False, cancel_futures=how.get("cancel_futures", False))
        failed.set()

    monkeypatch.setattr(sectors.ThreadPoolExecutor, "shutdown", ended)
    with pytest.raises(InputError, match="examples"):
        list(sectors.demonstrate(SimpleNamespace(lab=SimpleNamespace(folder=lambda name: tmp_path / name))))
    assert len(begun) <= 3
