"""What a host gives is probed, and what it does not give is refused with the reason."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pilotbase.documents.errors import RefusedError
from pilotbase.documents.limits import EndReason, IsolationLevel
from pilotbase.documents.texts import text
from pilotbase.sandbox.box import probe as probing
from pilotbase.sandbox.box.command import BoxProgram
from pilotbase.sandbox.box.ends import END_TEXTS
from pilotbase.sandbox.box.probe import probe_host, readable_to_others, require_level
from pilotbase.sandbox.box.settings import BoxSettings, Interpreter, StartMode, running_interpreter


def program() -> BoxProgram:
    return BoxProgram(Path(__file__), (), ())


def test_this_host_gives_the_embedded_default():
    probe = probe_host()
    assert probe.gives(IsolationLevel.L2), {name: reason.render() for name, reason in probe.reasons.items()}
    assert probe.highest_level is IsolationLevel.L2
    require_level(IsolationLevel.L2, probe)


@pytest.mark.parametrize("level", [IsolationLevel.L3, IsolationLevel.L4])
def test_a_level_that_is_not_given_is_refused(level):
    with pytest.raises(RefusedError) as refused:
        require_level(level, probe_host())
    assert refused.value.exit_code == 5
    assert level.value in refused.value.render("en") and level.value in refused.value.render("zh")


def test_a_host_without_namespaces_refuses_and_never_lowers():
    reason = text("box.probe.start_failed", start="C", said="setting up uid map: Permission denied")
    bare = replace(probe_host(), starts=(), reasons={"C": reason, "D": reason, "L2": reason})
    assert bare.highest_level is not IsolationLevel.L2
    with pytest.raises(RefusedError) as refused:
        require_level(IsolationLevel.L2, bare)
    assert "Permission denied" in refused.value.render("en")
    with pytest.raises(RefusedError):
        bare.choose_start(BoxSettings(interpreter=running_interpreter()), program())


def test_each_missing_tool_has_its_reason(monkeypatch):
    monkeypatch.setattr(probing, "_find_bwrap", lambda: None)
    probe = probe_host.__wrapped__()
    assert probe.starts == () and probe.reasons["L2"].code == "box.probe.no_bwrap"
    monkeypatch.undo()
    monkeypatch.setattr(probing.seccomp, "supported", lambda: False)
    probe = probe_host.__wrapped__()
    assert probe.reasons["L2"].code == "box.probe.no_filter" and not probe.gives(IsolationLevel.L1)


def test_a_failing_start_says_what_bubblewrap_said(monkeypatch, tmp_path):
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'setting up uid map: Permission denied' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setattr(probing, "_find_bwrap", lambda: str(fake))
    probe = probe_host.__wrapped__()
    assert probe.starts == ()
    assert "Permission denied" in probe.reasons["L2"].render("en") or "Permission" in probe.reasons["C"].render("en")


def test_root_takes_the_tighter_start_where_all_is_readable(tmp_path):
    both = replace(probe_host(), is_root=True, starts=(StartMode.C, StartMode.D))
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    (private / "python").touch()
    hidden = Interpreter(private / "python", private, "cpython-311-x86_64")
    open_one = Interpreter(Path("/usr/bin/env"), Path("/usr"), "cpython-311-x86_64")
    tools = replace(both.tools, bwrap="/usr/bin/env")
    assert replace(both, tools=tools).choose_start(BoxSettings(interpreter=open_one), program()) is StartMode.C
    assert both.choose_start(BoxSettings(interpreter=hidden), program()) is StartMode.D
    assert replace(both, is_root=False).choose_start(BoxSettings(interpreter=hidden), program()) is StartMode.C


def test_readable_means_the_whole_way(tmp_path):
    assert readable_to_others(Path("/usr/bin/env")) and readable_to_others(Path("/usr/lib"))
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / "file").touch(mode=0o644)
    assert not readable_to_others(closed / "file") and not readable_to_others(tmp_path / "absent")


def test_a_forced_start_that_does_not_hold_is_refused():
    only = replace(probe_host(), starts=(), reasons={"C": text("box.probe.no_bwrap"), "D": text("box.probe.not_root")})
    with pytest.raises(RefusedError) as refused:
        only.choose_start(BoxSettings(start=StartMode.D), program())
    assert refused.value.code == "box.no_start"


def test_every_end_has_words_and_advice():
    assert set(END_TEXTS) == set(EndReason)
    for end in END_TEXTS.values():
        for language in ("en", "zh"):
            assert end.render(language) and text(f"{end.code}.hint").render(language)
