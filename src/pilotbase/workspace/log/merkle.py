"""The Merkle tree of RFC 6962: one hash names any number of leaves, and short proofs show what it contains.

Pure functions and an in-memory tree. A leaf is hashed as SHA-256(0x00 ‖ data), a node as SHA-256(0x01 ‖ left ‖ right),
so that no node can pass for a leaf (RFC 6962 §2.1). Leaves are the data itself, not their hashes.

    tree = MerkleTree(leaves)
    proof = inclusion_path(tree.node, 3, len(tree))
    assert verify_inclusion(leaves[3], 3, len(tree), proof, tree.root())
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

Node = Callable[[int, int], bytes]
"""(level, index) → hash of the complete subtree over leaves [index·2^level, (index+1)·2^level)."""

EMPTY_ROOT = hashlib.sha256(b"").digest()


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Return whether ``leaf`` is number ``index`` of the ``size`` leaves under ``root`` (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size:
        return False
    position, last, hashed = index, size - 1, leaf_hash(leaf)
    for sibling in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            hashed = node_hash(sibling, hashed)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            hashed = node_hash(hashed, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and hashed == root


def verify_consistency(sizes: tuple[int, int], roots: tuple[bytes, bytes], proof: Sequence[bytes]) -> bool:
    """Return whether the tree (sizes[0], roots[0]) is a prefix of (sizes[1], roots[1]) (RFC 9162 §2.1.4.2)."""
    first, second = sizes
    if not 0 <= first <= second:
        return False
    if first == 0:
        return not proof and roots[0] == EMPTY_ROOT
    if first == second:
        return not proof and roots[0] == roots[1]
    path = list(proof)
    if first & (first - 1) == 0:
        path.insert(0, roots[0])
    return bool(path) and _replay_consistency(sizes, path) == roots


def leaf_hash(data: bytes) -> bytes:
    """Return SHA-256(0x00 ‖ data)."""
    hashed = hashlib.sha256(b"\x00")
    hashed.update(data)
    return hashed.digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 ‖ left ‖ right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class MerkleTree:
    """A growing tree in memory: one node hash a leaf, amortised; any earlier size is still available."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self._levels: list[list[bytes]] = [[]]
        for leaf in leaves:
            self.append(leaf)

    def __len__(self) -> int:
        return len(self._levels[0])

    def append(self, leaf: bytes) -> int:
        """Add ``leaf`` and return its index."""
        return self.append_hash(leaf_hash(leaf))

    def append_hash(self, hashed: bytes) -> int:
        """Add a leaf by its `leaf_hash` and return its index."""
        index = len(self)
        for level, position, node in completed_nodes(index, hashed, self.node):
            if level == len(self._levels):
                self._levels.append([])
            assert position == len(self._levels[level])
            self._levels[level].append(node)
        return index

    def root(self, size: int | None = None) -> bytes:
        """Return the root over the first ``size`` leaves (default all); of none it is SHA-256 of nothing."""
        size = len(self) if size is None else size
        if not 0 <= size <= len(self):
            raise IndexError(f"the tree has {len(self)} leaves, not {size}")
        return root_of(self.node, size)

    def node(self, level: int, index: int) -> bytes:
        """Return the hash of a complete subtree, as `Node`."""
        return self._levels[level][index]


def completed_nodes(index: int, hashed: bytes, node: Node) -> list[tuple[int, int, bytes]]:
    """Return the nodes (level, index, hash) that appending leaf number ``index`` completes, leaf first."""
    level, position = 0, index
    completed = [(level, position, hashed)]
    while position & 1:
        hashed = node_hash(node(level, position - 1), hashed)
        level, position = level + 1, position >> 1
        completed.append((level, position, hashed))
    return completed


def root_of(node: Node, size: int) -> bytes:
    """Return the root over the first ``size`` leaves of a tree with the complete nodes of ``node``."""
    return _range_root(node, 0, size) if size else EMPTY_ROOT


def inclusion_path(node: Node, index: int, size: int) -> tuple[bytes, ...]:
    """Return the audit path of ``index`` among ``size`` leaves, nearest node first (RFC 6962 §2.1.1)."""
    if not 0 <= index < size:
        raise IndexError(f"leaf {index} is not among {size}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range_root(node, middle, end))
            end = middle
        else:
            path.append(_range_root(node, start, middle))
            start = middle
    return tuple(reversed(path))


def consistency_path(node: Node, first: int, second: int) -> tuple[bytes, ...]:
    """Return the proof that ``first`` leaves are a prefix of ``second`` (RFC 6962 §2.1.2)."""
    if not 0 <= first <= second:
        raise IndexError(f"{first} leaves are no prefix of {second}")
    if first in (0, second):
        return ()
    path: list[bytes] = []
    start, end, whole = 0, second, True
    while first != end:
        middle = start + _split(end - start)
        if first <= middle:
            path.append(_range_root(node, middle, end))
            end = middle
        else:
            path.append(_range_root(node, start, middle))
            start, whole = middle, False
    if not whole:
        path.append(_range_root(node, start, end))
    return tuple(reversed(path))


def _range_root(node: Node, start: int, end: int) -> bytes:
    size = end - start
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return node(level, start >> level)
    middle = start + _split(size)
    return node_hash(_range_root(node, start, middle), _range_root(node, middle, end))


def _split(size: int) -> int:
    """Return the largest power of two below ``size``."""
    return 1 << (size - 1).bit_length() - 1


def _replay_consistency(sizes: tuple[int, int], path: list[bytes]) -> tuple[bytes, bytes] | None:
    position, last = sizes[0] - 1, sizes[1] - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    older = newer = path[0]
    for sibling in path[1:]:
        if last == 0:
            return None
        if position & 1 or position == last:
            older, newer = node_hash(sibling, older), node_hash(sibling, newer)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            newer = node_hash(newer, sibling)
        position, last = position >> 1, last >> 1
    return (older, newer) if last == 0 else None
