"""The robot of WeCom: what it is sent holds the limits of its documentation, and its answers are read."""

import json

import pytest

from tests.notices.channels.parcels_for_tests import parcel, robot, send

ADDRESS = "/cgi-bin/webhook/send?key=693a91f6-7xxx"


def as_documented(path, query, body):
    """https://developer.work.weixin.qq.com/document/path/91770"""
    if path != "/cgi-bin/webhook/send" or query.get("key") != ["693a91f6-7xxx"]:
        return {"errcode": 93000, "errmsg": "invalid webhook url"}
    if set(body) != {"msgtype", "markdown"} or body["msgtype"] != "markdown" or set(body["markdown"]) != {"content"}:
        return {"errcode": 40008, "errmsg": "invalid message type"}
    if len(body["markdown"]["content"].encode()) > 4096:
        return {"errcode": 40058, "errmsg": "markdown.content exceed max length 4096"}
    return {"errcode": 0, "errmsg": "ok"}


def test_a_notice_is_said_in_markdown_that_strangers_cannot_write():
    with robot(as_documented) as here:
        sent = send("wecom", parcel(here.url + ADDRESS))
        assert (sent.ok, sent.said.params) == (True, {"status": 200})
        content = here.got[0]["markdown"]["content"]
        assert content == (
            "**Mill⟨U+202E⟩ ＊＊［x］(https://evil.example)＊＊ ＜@all＞**\n> Acme asked a question\n"
            f"[Open](https://base.example/notices/{'a' * 32}/)"
        )


def test_in_chinese_and_however_long_it_is_taken():
    with robot(as_documented) as here:
        assert send("wecom", parcel(here.url + ADDRESS, language="zh", words=5000)).ok
        content = here.got[0]["markdown"]["content"]
        assert "爱克美" in content and content.endswith(f"[查看](https://base.example/notices/{'a' * 32}/)")


@pytest.mark.parametrize(
    ("answer", "rest"),
    [
        ({"errcode": 93000, "errmsg": "invalid webhook url, hint: [1]"}, 0),
        ({"errcode": 45009, "errmsg": "api freq out of limit"}, 60),
    ],
)
def test_a_refusal_comes_with_status_200_and_is_a_failure(answer, rest):
    with robot(as_documented) as here:
        here.answers.append((200, json.dumps(answer).encode()))
        sent = send("wecom", parcel(here.url + ADDRESS))
        assert (sent.ok, sent.rest) == (False, rest)
        assert str(answer["errcode"]) in sent.said.render() and answer["errmsg"] in sent.said.render("zh")
