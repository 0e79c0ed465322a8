"""The page of a version says what it changes of the one before: fields to whoever sees both, files to its supplier."""

from tests.catalogue.records_for_tests import version
from tests.hub.worlds_for_tests import world


def shown(made, who, digest):
    page = made.client(who, HTTP_ACCEPT_LANGUAGE="en").get(f"/applications/acme/forest/versions/{digest[7:]}/")
    assert page.status_code == 200
    return page.content.decode().partition('id="changes"')[2].partition("</section>")[0]


def test_a_second_version_says_what_it_changes_of_the_first(tmp_path):
    with world(tmp_path) as made:
        from pilotbase.hub.base import base

        first, second = made.trial.version, version("1.1.0").model_copy(update={"folder": f"sha256:{'b' * 64}"})
        made.trial.submit_application()
        made.trial.submit_application(second)
        for one, words in ((first, "cut = 0.5\nmodel\n"), (second, "cut = 0.2\nmodel\n")):
            folder = base().lab.application_folder(one.folder)
            folder.mkdir(parents=True)
            (folder / "app.py").write_text(words)
            (folder / "model.bin").write_bytes(b"\xff" * (3 if one is first else 4))
            (folder / "same.txt").write_text("same")
        (base().lab.application_folder(second.folder) / "new.txt").write_text("new")
        own, base_s = shown(made, "supplier", second.digest()), shown(made, "desk", second.digest())
        assert "<code>version</code>" in own and "<del>1.0.0</del>" in own and "<ins>1.1.0</ins>" in own
        assert "-cut = 0.5" in own and "+cut = 0.2" in own and "new.txt" in own and "model.bin" in own
        assert "same.txt" not in own
        assert "<ins>1.1.0</ins>" in base_s and "app.py" not in base_s and "cut" not in base_s
        assert shown(made, "supplier", first.digest()) == ""
