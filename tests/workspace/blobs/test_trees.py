"""Many files packed: one changed file is little, one file is read by its range, and no path leads out."""

from __future__ import annotations

import os
import random
import socket
import threading
import time
from pathlib import Path

import pytest

from pilotbase.documents.errors import InputError, InvalidProofError, PilotbaseError
from pilotbase.documents.hashes import digest_bytes, hex_of
from pilotbase.documents.progress import Progress
from pilotbase.documents.visible_text import make_visible
from pilotbase.workspace.blobs import BlobStore
from pilotbase.workspace.blobs.objects import name_of
from pilotbase.workspace.blobs.store import KEPT
from pilotbase.workspace.blobs.trees import PackedTree, Shard, TreeReader, pack, pack_folder, unpack
from pilotbase.workspace.failures import NotFoundError
from tests.workspace.blobs.conftest import Place, folder_place, memory_place

MIB = 1 << 20
LARGE = random.Random(9).randbytes(5 * MIB)
FILES = {f"{folder}/{number:04d}.txt": b"%d\n" % number * (number % 50) for folder in "ab" for number in range(200)} | {
    "a.txt": b"",
    "ab/数据.bin": b"\0" * 10,
    "large.bin": LARGE,
    "z": b"last",
}
SMALL = {path: content for path, content in FILES.items() if content != LARGE}


def written(folder: Path, files: dict[str, bytes] = FILES) -> Path:
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def everything(blobs: BlobStore, packed: PackedTree) -> dict[str, bytes]:
    return {member.path: b"".join(pieces) for member, pieces in TreeReader(blobs, packed).contents()}


def test_a_folder_comes_back_as_it_was(place: Place, tmp_path: Path) -> None:
    steps: list[Progress] = []
    packed = pack_folder(place.blobs, written(tmp_path / "from"), steps.append)
    assert (packed.files, packed.size) == (len(FILES), sum(map(len, FILES.values())))
    assert [(step.done, step.total) for step in steps] == [(0, len(FILES))]
    assert 3 <= len(packed.shards) < 10
    assert everything(place.blobs, packed) == FILES
    assert [member.path for member in TreeReader(place.blobs, packed).members()] == sorted(FILES)
    unpack(place.blobs, packed, tmp_path / "to")
    found = {str(path.relative_to(tmp_path / "to")): path for path in (tmp_path / "to").rglob("*") if path.is_file()}
    assert {name: path.read_bytes() for name, path in found.items()} == FILES
    assert {path.stat().st_mode & 0o777 for path in found.values()} == {0o600}
    names = place.names()
    assert pack_folder(place.blobs, tmp_path / "to") == packed
    assert place.names() == names


def test_one_file_is_read_without_the_pack(place: Place, tmp_path: Path) -> None:
    packed = pack_folder(place.blobs, written(tmp_path / "from"))
    tree = TreeReader(place.blobs, packed)
    for path in ("a.txt", "a/0000.txt", "b/0150.txt", "ab/数据.bin", "large.bin", "z"):
        assert tree.read(path) == FILES[path]
    for path in ("", "0", "a", "a/", "b/07", "b/9999.txt", "zz", "../z"):
        with pytest.raises(NotFoundError):
            tree.read(path)
    read: list[tuple[str, int | None]] = []
    real = place.blobs.objects.read
    place.blobs.objects.read = lambda name, start=None, end=None: (read.append((name, end)), real(name, start, end))[1]  # type: ignore[method-assign]
    tree.read("b/0150.txt")
    (shard,) = [shard for shard in packed.shards if shard.first <= "b/0150.txt"][-1:]
    assert {name for name, _ in read} <= {name_of(room, shard.body) for room in ("sha256", KEPT)}
    assert all(end is not None and end < shard.size for _, end in read)


def test_one_changed_file_is_little_to_send(place: Place) -> None:
    pack(place.blobs, sorted(SMALL.items()))
    before = place.names()
    changed = pack(place.blobs, sorted((SMALL | {"b/0100.txt": b"another"}).items()))
    assert len(place.names() - before) <= 3
    assert len(set(changed.shards) - set(pack(place.blobs, sorted(SMALL.items())).shards)) == 1


@pytest.mark.prove
def test_a_hundred_thousand_small_files_are_packed_in_seconds_of_computing(tmp_path: Path) -> None:
    place, folder, chance = folder_place(tmp_path / "blobs"), tmp_path / "from", random.Random(1)
    files = {f"{number % 100:02d}/{number:06d}": chance.randbytes(2000 + number % 1700) for number in range(100_000)}
    written(folder, files)
    began = time.process_time()
    packed = pack_folder(place.blobs, folder)
    assert time.process_time() - began < 30
    assert packed.files == 100_000
    assert len(place.names()) < 1000
    before = place.names()
    (folder / "50/000050").write_bytes(b"another")
    changed = pack_folder(place.blobs, folder)
    assert len(place.names() - before) <= 3
    tree = TreeReader(place.blobs, changed)
    assert tree.read("50/000050") == b"another"
    assert tree.read("99/099999") == files["99/099999"]


def test_a_file_more_at_the_front_changes_one_shard_of_many() -> None:
    blobs, files = memory_place().blobs, [(f"{number:05d}", b"%d" % number) for number in range(9000)]
    packed, more = pack(blobs, files), pack(blobs, [("0", b"one more"), *files])
    assert len(packed.shards) > 4
    assert len(set(more.shards) - set(packed.shards)) == 1


def test_altered_bytes_and_what_is_missing_are_found_by_the_file(place: Place) -> None:
    packed = pack(place.blobs, [("a", b"one"), ("b", b"two")])
    (shard,) = packed.shards
    place.overwrite(name_of(KEPT, shard.body), b"onetwX")
    tree = TreeReader(place.blobs, packed)
    assert tree.read("a") == b"one"
    with pytest.raises(InvalidProofError, match="b in the packed tree"):
        tree.read("b")
    place.blobs.objects.remove(name_of(KEPT, shard.body))
    with pytest.raises(NotFoundError):
        tree.read("a")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "../x",
        "a/../../x",
        "a//b",
        "a/.",
        ".",
        "a\nb",
        "a\0b",
        "a\u202eb",
        "\udc80",
        "x" * 256,
        "a/" * 2100 + "b",
    ],
    ids=ascii,
)
def test_a_path_that_leads_out_or_cannot_be_spelled_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(InputError) as caught:
        pack(BlobStore(str(tmp_path)), [(path, b"x")])
    assert caught.value.code == "blobs.odd_path"


@pytest.mark.parametrize(
    "paths", [["b", "a"], ["a", "a"], ["a", "a/b"], ["a", "a-b", "a/b/c"]], ids=["order", "twice", "below", "far below"]
)
def test_paths_out_of_order_twice_or_below_a_file_are_refused(tmp_path: Path, paths: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        pack(BlobStore(str(tmp_path)), [(path, b"x") for path in paths])
    assert caught.value.code == "blobs.path_out_of_order"


def line(path: str, size: int = 3) -> str:
    return f"{hex_of(digest_bytes(b'one'))} {size} {path}\n"


@pytest.mark.parametrize(
    "index",
    [
        line("../out") + line("b"),
        line("/out") + line("b"),
        line("b") + line("a"),
        line("a") + line("a"),
        line("a"),
        line("a", -1) + line("b", 7),
        line("a", 9) + line("b"),
        line("a") + line("b") + line("c"),
        "no line\n",
        "\n",
        "",
    ],
)
def test_an_index_that_lies_is_found_out_before_anything_is_written(tmp_path: Path, index: str) -> None:
    blobs = BlobStore(str(tmp_path / "blobs"))
    first = index.split(" ", 2)[2].split("\n")[0] if index.count(" ") > 1 else "a"
    shard = Shard(first=first, files=2, size=6, index=blobs.keep(index.encode()), body=blobs.keep(b"oneone"))
    packed = PackedTree(shards=(shard,))
    with pytest.raises(InvalidProofError):
        unpack(blobs, packed, tmp_path / "to")
    assert {path.name for path in tmp_path.iterdir()} == {"blobs"}
    with pytest.raises(InvalidProofError):
        TreeReader(blobs, packed).read(first)


def test_shards_that_clash_leave_nothing_behind(tmp_path: Path) -> None:
    blobs = BlobStore(str(tmp_path / "blobs"))
    whole, below = pack(blobs, [("a", b"x")]), pack(blobs, [("a/b", b"x")])
    with pytest.raises(PilotbaseError):
        unpack(blobs, PackedTree(shards=(*whole.shards, *below.shards)), tmp_path / "to")
    assert {path.name for path in tmp_path.iterdir()} == {"blobs"}
    with pytest.raises(InputError):
        unpack(blobs, whole, tmp_path / "blobs")


def test_links_devices_and_odd_names_of_a_folder_are_all_named_and_nothing_is_kept(
    place: Place, tmp_path: Path
) -> None:
    folder = written(tmp_path / "from", {"in/fine.txt": b"x"})
    (folder / "in" / "link").symlink_to("/etc/passwd")
    (folder / "out").symlink_to("/etc")
    os.mkfifo(folder / "pipe")
    (folder / "\x1b[2J").write_bytes(b"")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(folder / "socket"))
        with pytest.raises(InputError) as caught:
            pack_folder(place.blobs, folder)
    assert [issue.path for issue in caught.value.issues] == [
        "in/link",
        "out",
        "pipe",
        "socket",
        make_visible("\x1b[2J"),
    ]
    assert place.names() == set()
    with pytest.raises(InputError):
        pack_folder(place.blobs, folder / "in" / "fine.txt")


def test_a_file_that_becomes_a_link_while_it_is_packed_is_not_followed(tmp_path: Path) -> None:
    folder = written(tmp_path / "from", {"a": b"x", "b": b"y"})

    def swap(_: Progress) -> None:
        (folder / "b").unlink(missing_ok=True)
        (folder / "b").symlink_to("/etc/passwd")

    with pytest.raises(InputError) as caught:
        pack_folder(BlobStore(str(tmp_path / "blobs")), folder, swap)
    assert caught.value.code == "blobs.folder_changed"


def test_the_same_files_packed_by_several_at_once_are_one_tree(place: Place) -> None:
    found: list[PackedTree] = []
    threads = [
        threading.Thread(target=lambda: found.append(pack(place.blobs, sorted(SMALL.items())))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len({one.digest() for one in found}) == 1
    assert everything(place.blobs, found[0]) == SMALL
    assert {name.split("/")[0] for name in place.names()} == {KEPT}
