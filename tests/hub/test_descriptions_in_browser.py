"""The pages of files that are described, kept and measured, as people see them: both languages, phone and desktop."""

import shutil

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.hub.accessibility_for_tests import examine
from tests.hub.live_for_tests import listening
from tests.worker.datasets.describing_for_tests import PUMPS, work

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [pytest.mark.prove, pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")]
SIZES = (("en-GB", 1280), ("zh-CN", 390))


def wrong_in(world, paths):
    """What stands against pages of the owner: what tells nothing, overflows, is out of reach, or complains."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    cookies = world.client("owner").cookies.values()
    with listening(world) as address, playwright.sync_playwright() as session:
        browser = session.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        found = {}
        for locale, width in SIZES:
            context = browser.new_context(locale=locale, viewport={"width": width, "height": 900})
            context.add_cookies([{"name": one.key, "value": one.value, "url": address} for one in cookies])
            page = context.new_page()
            page.on("console", lambda message: found.setdefault("console", []).append(message.text))
            for path in paths:
                page.goto(address + path)
                if told := examine(page):
                    found[path, locale] = told
            context.close()
        browser.close()
    return found


def test_pages_of_descriptions_files_and_measurements(one_world):
    from pilotbase.hub.base import base

    owner = one_world.client("owner")
    place = owner.post("/descriptions/", {"tables": SimpleUploadedFile("pumps.csv", PUMPS.encode())})["Location"]
    torn = owner.post("/descriptions/", {"tables": SimpleUploadedFile("torn.csv", b'a,b\n1\n2,"3\n')})["Location"]
    work(base())
    assert wrong_in(one_world, ["/descriptions/", place, torn]) == {}
    saved = owner.post(f"{place}save/", {"usual_terms": "on", "keep": "on"})["Location"]
    owner.post(f"{saved}measuring/")
    work(base())
    assert wrong_in(one_world, [saved, f"{saved}files/", f"{saved}measuring/"]) == {}
