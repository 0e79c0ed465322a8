"""Webhooks and their messages."""

from __future__ import annotations

from pilotbase.documents.api.exchange import OpenWebhook, WebhookMessage
from pilotbase.documents.api.shapes import filled
from pilotbase.notices.outbox import WebhookDelivery, list_deliveries, replay, send_test
from pilotbase.notices.webhooks import Manner, add_webhook, end_webhook, list_webhooks
from pilotbase.operations import webhooks as declared
from pilotbase.protocols.guarded_http import GuardedHttp
from pilotbase.worker.operations.binding import Caller, does
from pilotbase.worker.operations.notices import told

_NEWEST = 200
does(declared.LIST)(lambda caller, asked: [OpenWebhook.model_validate(one) for one in list_webhooks(caller.view)])
does(declared.END)(lambda caller, asked: end_webhook(caller.view, asked.webhook))
does(declared.REPLAY)(lambda caller, asked: replay(caller.view, asked.webhook, asked.message))


@does(declared.ADD)
def add(caller: Caller, asked: declared.NewWebhook) -> OpenWebhook:
    """Add a webhook; only this answer shows its secret."""
    http = GuardedHttp(caller.limits.webhook_allow)
    manner = Manner(asked.channel, asked.secret or "", caller.language)
    made, secret = add_webhook(caller.view, caller.base.home.keys, http, asked.url, manner)
    return OpenWebhook.model_validate(made).model_copy(update={"secret": secret or None})


@does(declared.MESSAGES)
def messages(caller: Caller, asked: declared.OfWebhook) -> list[WebhookMessage]:
    """List the newest messages, newest first."""
    return [_told(caller, one) for one in list_deliveries(caller.view, asked.webhook, _NEWEST)]


@does(declared.TEST)
def test(caller: Caller, asked: declared.OfWebhook) -> WebhookMessage:
    """Queue a test message; what becomes of it is in the list of messages."""
    identity = send_test(caller.view, asked.webhook)
    sent = list_deliveries(caller.view, asked.webhook, _NEWEST)
    return next(_told(caller, one) for one in sent if one.identity == identity)


def _told(caller: Caller, one: WebhookDelivery) -> WebhookMessage:
    reason = one.reason.render(caller.language) if one.reason else None
    return filled(WebhookMessage, one, reason=reason, notice=told(caller, one.notice))
