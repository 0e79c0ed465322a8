"""What boxes of the tests leave in the page cache: everything, except where a test asks for boxes that forget."""

from collections.abc import Iterator

import pytest

from pilotbase.compute.box import box
from pilotbase.compute.box.page_cache import forget_files


@pytest.fixture(scope="session", autouse=True)
def files_stay_cached() -> Iterator[None]:
    """No box reads its interpreter from the disk anew: a thousand boxes in a row that may print would."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(box, "forget_files", lambda *_: 0)
        yield


@pytest.fixture
def forgetful_boxes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Boxes empty the page cache of what they read, as the product's do."""
    monkeypatch.setattr(box, "forget_files", forget_files)
