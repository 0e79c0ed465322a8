"""The channel of people: a letter in their language, tried again for ever."""

from dataclasses import dataclass, field, replace

from pilotbase.documents.notice import Letter
from pilotbase.notices.channel import Carriers
from pilotbase.notices.channels import CHANNELS
from pilotbase.protocols.guarded_http import GuardedHttp
from tests.notices.channels.parcels_for_tests import parcel


@dataclass
class Post:
    got: list[Letter] = field(default_factory=list)
    broken: bool = False

    def people(self):
        return []

    def send(self, letter):
        if self.broken:
            raise ConnectionRefusedError
        self.got.append(letter)


def mailed(post, to):
    return CHANNELS["mail"].send(to, Carriers(GuardedHttp(), post))


def test_a_letter_says_who_and_what_and_leads_there_in_the_language_of_the_person():
    post, to = Post(), parcel("p@example.org")
    assert mailed(post, to).ok and mailed(post, replace(to, notices=[*to.notices] * 2, language="zh")).ok
    one, many = post.got
    assert (one.to, one.identity) == ("p@example.org", "msg_1")
    assert one.subject == "Acme asked a question – Mill⟨U+202E⟩ **[x](https://evil.example)** <@all>"
    assert f"https://base.example/notices/{'a' * 32}/" in one.body and "notices/mail/" in one.body
    assert many.subject == "中试基地有 2 条通知" and many.body.count("爱克美 提出了问题") == 2


def test_a_server_that_takes_nothing_is_a_failure_that_is_never_given_up():
    sent = mailed(Post(broken=True), parcel("p@example.org"))
    assert not sent.ok and "ConnectionRefusedError" in sent.said.render()
    assert CHANNELS["mail"].retry.after(1000).total_seconds() == 21_600
