"""The files of a stranger's folder: whatever is neither file nor folder, or has an odd name, is named."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from pilotbase.documents.errors import InputError
from pilotbase.documents.texts import make_visible
from pilotbase.workspace.plain_files import files_in


def test_links_devices_and_odd_names_of_a_folder_are_all_named(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "fine.txt").write_bytes(b"x")
    (tmp_path / "数据.bin").write_bytes(b"")
    assert files_in(tmp_path) == ["in/fine.txt", "数据.bin"]
    (tmp_path / "in" / "link").symlink_to("/etc/passwd")
    (tmp_path / "out").symlink_to("/etc")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "\x1b[2J").write_bytes(b"")
    (tmp_path / os.fsdecode(b"\xff")).write_bytes(b"")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "socket"))
        with pytest.raises(InputError) as caught:
            files_in(tmp_path)
    odd = [make_visible("\x1b[2J"), make_visible("\udcff")]
    assert sorted(issue.path for issue in caught.value.issues) == sorted(["in/link", "out", "pipe", "socket", *odd])
