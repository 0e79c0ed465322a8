"""Mail as files in the home: nothing leaves the machine until a server is named."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.message import EmailMessage

from pilotbase.workspace.keys import write_private


class FolderBackend(BaseEmailBackend):
    """Writes each message as ``mail/<time>-<chance>.eml``, readable by the hub's user only: it may hold links."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        folder = Path(settings.EMAIL_FILE_PATH)
        folder.mkdir(mode=0o700, exist_ok=True)
        for message in email_messages:
            moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
            write_private(folder / f"{moment}-{secrets.token_hex(4)}.eml", message.message().as_bytes())
        return len(email_messages)
