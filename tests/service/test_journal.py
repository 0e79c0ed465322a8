"""Which folders are journals."""

from pilotbase.service.journal import LOCK, desks


def test_a_journal_is_seen_when_it_has_its_lock_and_its_name(tmp_path):
    assert desks(tmp_path / "absent") == []
    for name, locked in (("b", True), ("a", True), ("begun", False), (".hidden", True)):
        (tmp_path / name).mkdir()
        if locked:
            (tmp_path / name / LOCK).touch()
    assert desks(tmp_path) == ["a", "b"]
