"""Worlds as folders: read and checked, kept under the digest of all their files, and copied for practice."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

from pilotbase.catalogue.folders import FolderTree, kept_folder, read_tree, store_tree
from pilotbase.documents.errors import InputError, InvalidProofError, Issue, RefusedError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.loading import build_document
from pilotbase.documents.texts import Text
from pilotbase.documents.world import WORLD_MANIFEST, WORLD_PROGRAM, World
from pilotbase.documents.yaml_reader import read_yaml
from pilotbase.measures.formulas.json_answers import check_schema
from pilotbase.worlds.folders import SEALED


@dataclass(frozen=True)
class KeptWorld:
    """A world: its manifest, and where its files are."""

    world: World
    tree: FolderTree

    @property
    def digest(self) -> Digest:
        """Return what names all its files: another digest is another world."""
        return self.tree.digest

    @property
    def folder(self) -> Path:
        return self.tree.folder


def read_world(folder: Path) -> KeptWorld:
    """Return the world in ``folder``.

    Raises:
        InputError: it is no folder, has entries that are no plain files, lacks a file, or its manifest is wrong.
    """
    tree = read_tree(folder)
    for name in (WORLD_MANIFEST, WORLD_PROGRAM):
        if tree.file(name) is None:
            raise InputError("input.no_file", file=str(folder / name))
    manifest = folder / WORLD_MANIFEST
    world = build_document(World, read_yaml(manifest))
    if issues := [Issue(file=str(manifest), path=path, problem=problem) for path, problem in _schema_problems(world)]:
        raise InputError.from_issues(str(manifest), issues)
    return KeptWorld(world, tree)


def keep_world(found: KeptWorld, store: Path) -> KeptWorld:
    """Return the world with its files in an immutable copy under ``store``."""
    folder = store_tree(found.tree, store)
    return KeptWorld(found.world, replace(found.tree, folder=folder, uncovered=()))


def kept_world(store: Path, digest: Digest) -> KeptWorld:
    """Return the world that ``store`` keeps; raises `InvalidProofError` if it is missing there or was altered."""
    folder = kept_folder(store, digest)
    try:
        found = read_world(folder)
    except InputError:
        raise InvalidProofError("world.not_kept", digest=digest) from None
    if found.digest != digest:
        raise InvalidProofError("world.not_kept", digest=digest)
    return found


def practice_copy(found: KeptWorld, folder: Path) -> KeptWorld:
    """Return the copy of a world, written to ``folder``, that suppliers practise on: without its folder ``sealed``.

    Raises:
        RefusedError: it names sealed templates, but has no such folder, so that a copy would show them.
    """
    names = [file.path for file in found.tree.files]
    shown = [name for name in names if not name.startswith(f"{SEALED}/")]
    if found.world.templates.sealed and shown == names:
        raise RefusedError("world.nothing_sealed", world=found.world.name)
    for name in shown:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes((found.folder / name).read_bytes())
    manifest = json.dumps(found.world.shown().to_json_value(), ensure_ascii=False, indent=2)
    (folder / WORLD_MANIFEST).write_text(f"{manifest}\n", "utf-8")
    return read_world(folder)


def _schema_problems(world: World) -> list[tuple[str, Text]]:
    named = [(f"tools[{index}].inputSchema", tool.input_schema) for index, tool in enumerate(world.tools)]
    named += [(f"acts.{name}.where", acts.where) for name, acts in world.acts.items() if acts.where is not None]
    found = []
    for path, schema in named:
        try:
            check_schema(schema)
        except InputError as error:
            found.append((path, error.text))
    return found
