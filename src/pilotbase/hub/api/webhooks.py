"""Webhooks over the API: where programs of the caller's organisation are told, and what came of it."""

from __future__ import annotations

from typing import Annotated

import pydantic
from django.http import HttpResponse
from ninja import Path, Router

from pilotbase.documents.api.exchange import NewWebhook, OpenWebhook, WebhookMessage
from pilotbase.documents.hashes import canonical_json
from pilotbase.hub.acting import HubRequest, language
from pilotbase.hub.api.answers import answers, asked, once
from pilotbase.hub.api.authentication import MEMBERS
from pilotbase.hub.api.notices import told
from pilotbase.hub.base import base, guarded_http
from pilotbase.notices.outbox import Delivery, list_deliveries, replay
from pilotbase.notices.webhooks import Manner, add_webhook, end_webhook, list_webhooks
from pilotbase.workspace.store import View

router = Router(tags=["webhooks"], auth=MEMBERS)
WebhookPath = Path[Annotated[str, pydantic.StringConstraints(pattern=r"^[0-9a-f]{16}$")]]
MessageId = Path[Annotated[str, pydantic.StringConstraints(pattern=r"^msg_[0-9a-f]{32}$")]]


@router.get("/webhooks", response=answers(list[OpenWebhook]), summary="Webhooks of my organisation")
def list_all(request: HubRequest) -> list[OpenWebhook]:
    """Return the webhooks that are told."""
    return [OpenWebhook.model_validate(one, from_attributes=True) for one in list_webhooks(request.acting.view)]


@router.post("/webhooks", response=answers(OpenWebhook, 201), summary="Add a webhook")
def add(request: HubRequest, wanted: NewWebhook) -> HttpResponse:
    """Add a webhook and return its secret, once. Sent again under its Idempotency-Key, 409 says which was added."""
    manner = Manner(wanted.channel, wanted.secret or "", language())
    made, secret = add_webhook(asked(request), base().home.keys, guarded_http(), wanted.url, manner)
    told = OpenWebhook.model_validate(made, from_attributes=True).model_copy(update={"secret": secret or None})
    return HttpResponse(canonical_json(told.model_dump(mode="json")), status=201, content_type="application/json")


@router.delete("/webhooks/{webhook}", response=answers(None, 204), summary="End a webhook")
def end(request: HubRequest, webhook: WebhookPath) -> HttpResponse:
    """Tell a webhook nothing more."""

    def act(view: View) -> HttpResponse:
        end_webhook(view, webhook)
        return HttpResponse(status=204)

    return once(request, act)


@router.get(
    "/webhooks/{webhook}/messages", response=answers(list[WebhookMessage]), summary="What was sent to a webhook"
)
def messages(request: HubRequest, webhook: WebhookPath) -> list[WebhookMessage]:
    """Return the newest two hundred messages, newest first."""
    return [_told(one) for one in list_deliveries(request.acting.view, webhook, 200)]


@router.post(
    "/webhooks/{webhook}/messages/{message}/replay", response=answers(None, 204), summary="Send a message again"
)
def send_again(request: HubRequest, webhook: WebhookPath, message: MessageId) -> HttpResponse:
    """Let a message be sent again under the same ``webhook-id``."""

    def act(view: View) -> HttpResponse:
        replay(view, webhook, message)
        return HttpResponse(status=204)

    return once(request, act)


def _told(delivery: Delivery) -> WebhookMessage:
    reason = delivery.reason
    return WebhookMessage(
        identity=delivery.identity,
        state=delivery.state,
        tries=delivery.tries,
        next_at=delivery.next_at,
        status=delivery.status,
        reason=reason.render(language()) if reason else None,
        notice=told(delivery.notice),
    )
