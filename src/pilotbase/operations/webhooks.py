"""Webhooks: addresses that get the notices of the caller's organisation, and their messages."""

from __future__ import annotations

from typing import Annotated

import pydantic
from pydantic import StringConstraints

from pilotbase.documents.api.exchange import OpenWebhook, WebhookMessage
from pilotbase.documents.api.shapes import RequestModel
from pilotbase.documents.permissions import ExchangeAct
from pilotbase.operations.operation import NOTHING, PATH, NoInput, Operation, Repeated


class NewWebhook(RequestModel):
    """Address and channel for notices: https only, and no private network unless the operator lists it."""

    url: str = pydantic.Field(min_length=1, max_length=2000)
    channel: str = pydantic.Field("webhook", max_length=20)
    """``webhook`` (signed events), or the robot of a group chat, such as ``wecom``."""
    secret: str | None = pydantic.Field(None, max_length=200)
    """The signing secret that a robot of Feishu or DingTalk shows; other channels take none."""


class OfWebhook(RequestModel):
    """Which webhook."""

    webhook: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$"), PATH]


class OfMessage(OfWebhook):
    """Which message to a webhook."""

    message: Annotated[str, StringConstraints(pattern=r"^msg_[0-9a-f]{32}$"), PATH]


_MANAGE, _OWN = ExchangeAct.WEBHOOK_MANAGE, "members, of their own organisation"
LIST = Operation("webhooks.list", "GET /webhooks", NoInput, list[OpenWebhook], only=_OWN)
ADD = Operation(
    "webhooks.add",
    "POST /webhooks",
    NewWebhook,
    OpenWebhook,
    who=_MANAGE,
    repeated=Repeated.ONCE,
    location="/api/webhooks",
    example={"url": "https://hooks.plant.example/pilotbase"},
)
END = Operation("webhooks.end", "DELETE /webhooks/{webhook}", OfWebhook, NOTHING, who=_MANAGE)
MESSAGES = Operation(
    "webhooks.messages", "GET /webhooks/{webhook}/messages", OfWebhook, list[WebhookMessage], only=_OWN
)
REPLAY = Operation(
    "webhooks.replay", "POST /webhooks/{webhook}/messages/{message}/replay", OfMessage, NOTHING, who=_MANAGE
)
TEST = Operation(
    "webhooks.test",
    "POST /webhooks/{webhook}/messages",
    OfWebhook,
    WebhookMessage,
    who=_MANAGE,
    later=True,
    location="/api/webhooks/{asked.webhook}/messages",
)
