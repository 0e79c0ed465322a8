"""Worlds as folders: read and checked, and kept under the digest of all their files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from pilotbase.catalogue.folders import FolderTree, kept_folder, read_tree, store_tree
from pilotbase.documents.errors import InputError, InvalidProofError, Issue
from pilotbase.documents.hashes import Digest
from pilotbase.documents.loading import build_document
from pilotbase.documents.texts import Text
from pilotbase.documents.world import WORLD_MANIFEST, WORLD_PROGRAM, World
from pilotbase.documents.yaml_reader import read_yaml
from pilotbase.measures.formulas.json_answers import check_schema


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
