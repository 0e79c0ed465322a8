"""Signatures as Standard Webhooks has them, events as CloudEvents 1.0 has them."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest

from pilotbase.documents.errors import InputError
from pilotbase.protocols.webhooks import CloudEvent, new_secret, signature, signed_headers

SENT = datetime(2021, 2, 25, 11, 41, 33, tzinfo=UTC)


def test_the_example_of_the_specification():
    """Secret, message, body and signature as the specification's reference libraries test them."""
    found = signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}'
    )
    assert found == "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_receiver_can_check_what_it_got():
    secret, body = new_secret(), b"{}"
    headers = signed_headers(secret, "msg_1", SENT, body)
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"msg_1.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}" and headers["webhook-id"] == "msg_1"
    assert len(key) == 32 and new_secret() != secret
    with pytest.raises(InputError):
        signature("whsec_%", "m", "1", b"")


def test_an_event_is_structured_json():
    event = CloudEvent(id="msg_1", source="urn:x", type="org.x", subject="scenario:a/b", time=SENT, data={"act": "x"})
    assert json.loads(event.encoded()) == {
        "specversion": "1.0",
        "id": "msg_1",
        "source": "urn:x",
        "type": "org.x",
        "subject": "scenario:a/b",
        "time": "2021-02-25T11:41:33Z",
        "datacontenttype": "application/json",
        "data": {"act": "x"},
    }
