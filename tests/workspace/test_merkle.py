"""The tree of RFC 6962: known roots, and proofs that hold for what is there and for nothing else."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotbase.workspace.log.merkle import (
    EMPTY_ROOT,
    MerkleTree,
    consistency_path,
    inclusion_path,
    verify_consistency,
    verify_inclusion,
)

# The test vectors of Certificate Transparency (google/certificate-transparency, merkle_tree_test).
LEAVES = [
    bytes.fromhex(leaf)
    for leaf in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def test_known_roots() -> None:
    assert [MerkleTree(LEAVES[:size]).root().hex() for size in range(1, 9)] == list(ROOTS)
    assert MerkleTree().root() == EMPTY_ROOT == hashlib.sha256().digest()


def test_known_proofs() -> None:
    tree = MerkleTree(LEAVES)
    assert [node.hex() for node in inclusion_path(tree.node, 5, 8)] == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
    assert [node.hex() for node in consistency_path(tree.node, 6, 8)] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=4), min_size=1, max_size=70, unique=True), st.data())
def test_a_proof_holds_for_its_leaf_and_place_only(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    tree, size = MerkleTree(leaves), len(leaves)
    proof, root = inclusion_path(tree.node, index, size), tree.root()
    assert verify_inclusion(leaves[index], index, size, proof, root)
    assert not verify_inclusion(leaves[index] + b"x", index, size, proof, root)
    assert not verify_inclusion(leaves[index], index, size, (*proof, root), root)
    assert not verify_inclusion(leaves[index], index, size, proof, hashlib.sha256(root).digest())
    assert not verify_inclusion(leaves[index], size, size, proof, root)
    if proof:
        assert not verify_inclusion(leaves[index], index, size, proof[:-1], root)
        assert not verify_inclusion(leaves[index], index ^ 1, size, proof, root)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 70), st.data())
def test_a_prefix_is_proven_and_another_history_is_not(size: int, data: st.DataObject) -> None:
    tree = MerkleTree(bytes([number]) for number in range(size))
    first = data.draw(st.integers(0, size))
    sizes, roots = (first, size), (tree.root(first), tree.root())
    proof = consistency_path(tree.node, first, size)
    assert verify_consistency(sizes, roots, proof)
    if first:
        rewritten = MerkleTree([b"rewritten", *(bytes([number]) for number in range(1, first))]).root()
        assert not verify_consistency(sizes, (rewritten, roots[1]), proof)
        assert not verify_consistency(sizes, (roots[0], rewritten), proof) or first == size
    assert not verify_consistency((first + size + 1, size), roots, proof)


def test_a_node_cannot_pass_for_a_leaf() -> None:
    tree = MerkleTree([b"a", b"b"])
    joined = b"".join(MerkleTree([leaf]).root() for leaf in (b"a", b"b"))
    assert MerkleTree([joined]).root() != tree.root()


def test_there_is_no_proof_for_what_is_not_there() -> None:
    with pytest.raises(IndexError):
        inclusion_path(MerkleTree([b"a"]).node, 1, 1)
    with pytest.raises(IndexError):
        consistency_path(MerkleTree([b"a"]).node, 2, 1)
    with pytest.raises(IndexError):
        MerkleTree([b"a"]).root(2)
