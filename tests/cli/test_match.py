"""`pilotbase match` among files and on a base that only the command line works on."""

import json

import pytest

from tests.cli.test_command_line import run
from tests.trial.conftest import home, write_application, write_scenario  # noqa: F401 - fixtures


@pytest.mark.parametrize(("language", "left_out"), [("en", "Left out"), ("zh", "1 个文件无法读取")])
def test_a_broken_file_is_named_and_the_others_are_compared(
    home,  # noqa: F811
    write_scenario,  # noqa: F811
    write_application,  # noqa: F811
    tmp_path,
    language,
    left_out,
):
    scenario, broken, _ = write_scenario(), write_application(name="broken"), write_application(name="sound")
    manifest = broken / "application.yaml"
    manifest.write_text(manifest.read_text().replace("licence:", "license:"))
    found = run("match", "scenario", scenario, "--among", tmp_path, "--json", language=language)
    assert [one["subject"] for one in json.loads(found.stdout)["ranked"]] == ["application:acme/sound"]
    assert "broken/application.yaml" in found.stderr and "license" in found.stderr
    assert left_out in found.stderr and found.exit_code == 2
    manifest.write_text(manifest.read_text().replace("license:", "licence:"))
    mended = run("match", "scenario", scenario, "--among", tmp_path, "--json", language=language)
    assert len(json.loads(mended.stdout)["ranked"]) == 2
    assert mended.exit_code == 0 and not mended.stderr


def test_a_broken_scenario_above_costs_an_application_its_contract_and_nothing_else(home, write_scenario, tmp_path):  # noqa: F811
    from tests.trial.conftest import writing_application

    asked, above = write_scenario(), write_scenario(name="above")
    (above / "scenario.yaml").write_text("document: scenario/1\nname: no name\n")
    beside = writing_application(above)(name="beside") / "application.yaml"
    beside.write_text(beside.read_text() + "scenario: small-alarm\n")
    found = run("match", "scenario", asked, "--among", above, "--json")
    (one,) = json.loads(found.stdout)["ranked"]
    assert one["subject"] == "application:acme/beside" and "contract" not in one
    assert found.stderr.count("above/scenario.yaml: ") == 1 and found.exit_code == 2


@pytest.mark.parametrize(
    ("language", "said"), [("en", "No scenario is open in this base"), ("zh", "此基地尚无开放场景")]
)
def test_a_base_without_hub_says_why_its_gap_map_has_no_demand(home, language, said):  # noqa: F811
    assert run("init").exit_code == 0
    gaps = run("match", "gaps", language=language)
    assert gaps.exit_code == 0 and said in gaps.stdout and "--among" in gaps.stdout
