"""The robot of DingTalk: signed as its documentation has it, refused where it is not, quiet where it says too much."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import timedelta

from tests.notices.channels.parcels_for_tests import NOW, parcel, robot, send

ADDRESS, SECRET = "/robot/send?access_token=bf1d", "SECd1c0+/="


def as_documented(path, query, body):
    """https://open.dingtalk.com/document/robots/custom-robot-access"""
    if path != "/robot/send" or query["access_token"] != ["bf1d"]:
        return {"errcode": 300001, "errmsg": "token is not exist"}
    (stamp,), (sign,) = query.get("timestamp", [""]), query.get("sign", [""])
    words = f"{stamp}\n{SECRET}"
    expected = base64.b64encode(hmac.new(SECRET.encode(), words.encode(), hashlib.sha256).digest()).decode()
    if sign != expected or abs(int(stamp) / 1000 - NOW.timestamp()) > 3600:
        return {"errcode": 310000, "errmsg": "sign not match"}
    if body["msgtype"] != "markdown" or set(body["markdown"]) != {"title", "text"}:
        return {"errcode": 400105, "errmsg": "unsupported msgtype"}
    return {"errcode": 0, "errmsg": "ok"} if len(json.dumps(body)) <= 20_000 else {"errcode": 430104, "errmsg": "size"}


def test_a_signed_notice_is_taken():
    with robot(as_documented) as here:
        assert send("dingtalk", parcel(here.url + ADDRESS, SECRET)).ok
        assert here.got[0]["markdown"] == {
            "title": "Mill⟨U+202E⟩ ＊＊［x］(https://evil.example)＊＊ ＜@all＞",
            "text": "#### Mill⟨U+202E⟩ ＊＊［x］(https://evil.example)＊＊ ＜@all＞\n\n> Acme asked a question\n\n"
            f"[Open](https://base.example/notices/{'a' * 32}/)",
        }
        assert send("dingtalk", parcel(here.url + ADDRESS, SECRET, "zh", words=9000)).ok


def test_another_secret_and_an_old_signature_are_refused():
    with robot(as_documented) as here:
        signed = parcel(here.url + ADDRESS, SECRET)
        wrong = (
            {"secret": "SECother"},
            {"sent_at": NOW - timedelta(hours=2)},
            {"secret": ""},
        )
        for one in wrong:
            sent = send("dingtalk", replace(signed, **one))
            assert not sent.ok and "sign not match" in sent.said.render()


def test_a_robot_that_is_told_too_much_is_left_alone_for_ten_minutes():
    with robot(as_documented) as here:
        here.answers.append((200, b'{"errcode":130101,"errmsg":"send too fast, exceed 20 times per minute"}'))
        sent = send("dingtalk", parcel(here.url + ADDRESS, SECRET))
        assert (sent.ok, sent.rest) == (False, 600)
