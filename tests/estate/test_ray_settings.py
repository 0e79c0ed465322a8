"""A Ray cluster is reached with its token alone, and never by a release with a known way in."""

import pytest

from pilotbase.documents.errors import InputError, PilotbaseError
from pilotbase_estate.backends.ray_cluster import ADDRESS, LOCAL, require_version, settings_of


def test_no_cluster_is_reached_without_a_token() -> None:
    with pytest.raises(InputError) as refused:
        settings_of({ADDRESS: "head:6379"})
    assert refused.value.code == "compute.ray_no_token"
    given = settings_of({ADDRESS: "head:6379", "RAY_AUTH_TOKEN": "given"})
    assert (given.address, given.token) == ("head:6379", "given")
    own, other = settings_of({}), settings_of({})
    assert own.address == LOCAL and len(own.token) == 64
    assert own.token != other.token, "a cluster of one's own has a token that nobody can know"


def test_releases_with_a_known_way_in_are_refused() -> None:
    for found in ("2.53.9", "1.13.0", "2.9.0"):
        with pytest.raises(PilotbaseError) as refused:
            require_version(found)
        assert refused.value.code == "compute.ray_too_old", found
    for found in ("2.54.0", "2.100.1", "3.0.0"):
        require_version(found)
