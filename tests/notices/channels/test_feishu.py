"""The robot of Feishu: a post without markup, signed in the body, and answers whose body says whether it was taken."""

import base64
import hashlib
import hmac
import json

import pytest

from tests.notices.channels.parcels_for_tests import NOW, parcel, robot, send

ADDRESS, SECRET = "/open-apis/bot/v2/hook/3f1c-ab_9", "Kq3"


def as_documented(path, query, body):
    """https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot"""
    if path != ADDRESS:
        return {"code": 19001, "msg": "param invalid: incoming webhook access token invalid"}
    key = f"{body.get('timestamp')}\n{SECRET}".encode()
    expected = base64.b64encode(hmac.new(key, digestmod=hashlib.sha256).digest()).decode()
    if body.get("sign") != expected or abs(int(body["timestamp"]) - NOW.timestamp()) > 3600:
        return {"code": 19021, "msg": "sign match fail or timestamp is not within one hour from current time"}
    size = len(json.dumps(body, ensure_ascii=False).encode())
    ((_, post),) = body["content"]["post"].items()
    if body["msg_type"] != "post" or set(post) != {"title", "content"} or size > 20 * 1024:
        return {"code": 9499, "msg": "Bad Request"}
    return {"code": 0, "msg": "success", "data": {}, "StatusCode": 0, "StatusMessage": "success"}


def test_a_signed_notice_is_taken():
    with robot(as_documented) as here:
        assert send("feishu", parcel(here.url + ADDRESS, SECRET)).ok
        link = f"https://base.example/notices/{'a' * 32}/"
        assert here.got[0]["content"]["post"] == {
            "en_us": {
                "title": "Mill⟨U+202E⟩ **[x](https://evil.example)** <@all>",
                "content": [
                    [{"tag": "text", "text": "Acme asked a question"}],
                    [{"tag": "a", "text": "Open", "href": link}],
                ],
            }
        }
        assert send("feishu", parcel(here.url + ADDRESS, SECRET, "zh", words=30_000)).ok
        assert set(here.got[1]["content"]["post"]) == {"zh_cn"}


def test_without_its_secret_a_robot_refuses():
    with robot(as_documented) as here:
        for secret in ("", "other"):
            sent = send("feishu", parcel(here.url + ADDRESS, secret))
            assert not sent.ok and "19021" in sent.said.render()


@pytest.mark.parametrize(
    ("status", "answer", "rest", "said"),
    [
        (200, b'{"code":11232,"msg":"frequency limited psm"}', 60, "frequency limited"),
        (400, b'{"code":9499,"msg":"Bad Request"}', 0, "Bad Request"),
        (200, b"<html>proxy</html>", 0, "HTTP 200"),
        (502, b"", 0, "HTTP 502"),
        (200, b"[" * 5000, 0, "HTTP 200"),
        (200, b'{"code":"0"}', 0, "code 0"),
    ],
)
def test_what_is_not_the_word_of_success_is_a_failure(status, answer, rest, said):
    with robot(as_documented) as here:
        here.answers.append((status, answer))
        sent = send("feishu", parcel(here.url + ADDRESS, SECRET))
        assert (sent.ok, sent.rest) == (False, rest) and said in sent.said.render()
