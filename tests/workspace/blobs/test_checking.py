"""Each missing or altered blob and chunk is named, and nothing else is."""

from __future__ import annotations

import random

import pytest

from pilotbase.documents.hashes import digest_bytes
from pilotbase.workspace.blobs.objects import name_of
from pilotbase.workspace.blobs.store import CUT, KEPT, OWN
from pilotbase.workspace.checks.blobs import Damage, Named, ObjectFault, check
from tests.workspace.blobs.conftest import Place

MIB = 1 << 20


@pytest.fixture
def filled(place: Place) -> tuple[Place, dict[str, str]]:
    blobs = place.blobs
    data = random.Random(1).randbytes(5 * MIB)
    return place, {
        "own": blobs.put(b"own"),
        "small": blobs.keep(b"small"),
        "large": blobs.keep(data),
        "other": blobs.keep(data[:MIB] + random.Random(2).randbytes(2 * MIB)),
    }


def test_whole_blobs_have_no_damage(filled: tuple[Place, dict[str, str]]) -> None:
    place, digests = filled
    checked = check(place.blobs, [Named(digest, "a document") for digest in digests.values()])
    assert checked.damages == ()
    assert checked.read == checked.objects == len(place.names())


def test_each_damage_is_named_once(filled: tuple[Place, dict[str, str]]) -> None:
    place, digests = filled
    large, other = place.blobs.manifest(digests["large"]), place.blobs.manifest(digests["other"])
    altered, missing = large.chunks[2][0], large.chunks[3][0]
    place.overwrite(name_of(KEPT, altered), b"else")
    place.blobs.objects.remove(name_of(KEPT, missing))
    place.overwrite(name_of(OWN, digests["own"]), b"owN")
    place.overwrite(name_of(KEPT, digests["small"]), b"")
    place.overwrite(name_of(CUT, digests["other"]), other.model_copy(update={"chunks": other.chunks[1:]}).canonical())
    gone = digest_bytes(b"gone")
    checked = check(place.blobs, [Named(gone, "a document"), Named(digests["large"], "another")])
    assert set(checked.damages) == {
        Damage(gone, ObjectFault.MISSING, "", "a document"),
        Damage(missing, ObjectFault.MISSING, KEPT, digests["large"]),
        Damage(altered, ObjectFault.ALTERED, KEPT, digests["large"]),
        Damage(digests["own"], ObjectFault.ALTERED, OWN, ""),
        Damage(digests["small"], ObjectFault.ALTERED, KEPT, ""),
        Damage(digests["other"], ObjectFault.ALTERED, CUT, ""),
    }
    assert len(checked.damages) == 6
    place.overwrite(name_of(CUT, digests["other"]), b"{")
    assert Damage(digests["other"], ObjectFault.ALTERED, CUT, "") in check(place.blobs, []).damages


def test_a_sample_reads_a_share_and_finds_all_that_is_missing(filled: tuple[Place, dict[str, str]]) -> None:
    place, digests = filled
    place.overwrite(name_of(OWN, digests["own"]), b"owN")
    missing = place.blobs.manifest(digests["large"]).chunks[0][0]
    place.blobs.objects.remove(name_of(KEPT, missing))
    checked = check(place.blobs, [], share=0.0)
    assert checked.read == 0
    assert {damage.digest for damage in checked.damages} == {missing}
    for number in range(60):
        place.blobs.put(b"%d" % number)
    assert 10 < check(place.blobs, [], share=0.5).read < 60
