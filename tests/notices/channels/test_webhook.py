"""The channel of programs: a CloudEvent, signed; any 2xx is well. More in `tests.notices.test_webhooks`."""

import json

from pilotbase.protocols.webhooks import new_secret, signature
from tests.notices.channels.parcels_for_tests import parcel, send
from tests.protocols.receivers_for_tests import receiving


def test_a_notice_goes_out_as_a_signed_event_in_the_words_of_programs():
    secret = new_secret()
    with receiving(204, 404) as receiver:
        assert [send("webhook", parcel(receiver.url, secret)).ok for _ in range(2)] == [True, False]
        _, headers, body = receiver.got[0]
        told = signature(secret, "msg_1", headers["webhook-timestamp"], body)
        assert headers["webhook-signature"] == f"v1,{told}"
        event = json.loads(body)
        assert (event["type"], event["data"]["organisation"]) == ("org.pilotbase.notice.question", "acme")
