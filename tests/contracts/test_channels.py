"""What holds for every channel of notices, also for one that is added tomorrow."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pilotbase.documents.texts import LANGUAGES, Text
from pilotbase.notices.channel import LONGEST
from pilotbase.notices.channels import CHANNELS
from pilotbase.notices.webhooks import organisation_channels

ROBOTS = {name: one.example for name, one in CHANNELS.items() if one.example and name != "webhook"}
"""Name → an address of the channel."""
TESTS = Path(__file__).parents[1] / "notices" / "channels"


@pytest.mark.parametrize("name", CHANNELS)
def test_a_channel_has_a_name_a_rule_and_a_test_of_its_own(name):
    channel = CHANNELS[name]
    assert channel.name == name, f"{name}: the channel of a file is called as the file is"
    assert (TESTS / f"test_{name}.py").is_file(), f"channel {name} has no test: tests/notices/channels/test_{name}.py"
    assert all(Text(code=f"notice.channel.{name}").render(language) for language in LANGUAGES)
    assert 0 < max(channel.retry.delays) <= LONGEST, f"{name}: a delay longer than LONGEST counts as due"
    assert channel.apart <= 60


def test_organisations_choose_whatever_channel_has_addresses_that_they_may_give():
    assert organisation_channels() == ["webhook", *sorted(ROBOTS)]
    assert {"dingtalk", "feishu", "wecom"} <= ROBOTS.keys()
    assert [name for name, one in CHANNELS.items() if not one.example] == ["mail"]


@pytest.mark.parametrize("name", ROBOTS)
def test_a_robot_knows_its_address_from_others(name):
    fits = CHANNELS[name].fits
    assert fits is not None
    assert [other for other, url in ROBOTS.items() if fits(urlsplit(url))] == [name]
    assert not fits(urlsplit(CHANNELS["webhook"].example))
