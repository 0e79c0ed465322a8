"""The accounts as lines that a backup holds: alike for SQLite and PostgreSQL, for Django spells and reads them.

Left out: sessions and what hangs on them (whoever restores a base logs everybody out), answers kept for a day, and what
Django makes itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.apps import apps
from django.core import serializers
from django.core.management.color import no_style
from django.core.serializers.base import DeserializationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DatabaseError, connection, models, transaction

from pilotbase.documents.errors import InputError, InvalidProofError
from pilotbase.hub.models import Person

_LEFT_OUT = frozenset({"sessions.session", "usersessions.usersession", "hub.givenanswer"})
_LEFT_OUT_APPS = frozenset({"contenttypes", "auth"})


class _Exact(DjangoJSONEncoder):
    """Spells times to the microsecond, where Django's own encoder cuts them."""

    def default(self, o: Any) -> Any:
        return o.isoformat() if isinstance(o, datetime) else super().default(o)


def dumped_accounts() -> Iterator[bytes]:
    """Yield the rows of all accounts, one JSON object a line, as one snapshot shows them."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            connection.cursor().execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        for model in _models():
            for row in model._default_manager.order_by("pk").iterator():
                yield serializers.serialize("json", [row], cls=_Exact, ensure_ascii=False)[1:-1].encode() + b"\n"


def load_accounts(lines: Iterable[bytes]) -> int:
    """Take the accounts that `dumped_accounts` gave into empty tables and return how many people there are.

    Within the caller's transaction, if there is one.

    Raises:
        InputError: there are accounts already.
        InvalidProofError: the lines are no accounts.
    """
    require_none()
    with transaction.atomic():
        for line in filter(None, lines):
            _take(line)
        for statement in connection.ops.sequence_reset_sql(no_style(), _models()):
            connection.cursor().execute(statement)
    return Person.objects.count()


def require_none() -> None:
    """Return if nobody has an account here; raises `InputError`."""
    if Person.objects.exists():
        raise InputError("backup.accounts_not_empty", path=connection.settings_dict["NAME"])


def _take(line: bytes) -> None:
    allowed = {model._meta.label_lower for model in _models()}
    try:
        for found in serializers.deserialize("json", b"[" + line + b"]"):
            if found.object._meta.label_lower not in allowed:
                raise InvalidProofError("backup.not_accounts")
            found.save()
    except (DeserializationError, DatabaseError) as error:
        raise InvalidProofError("backup.not_accounts") from error


def _models() -> list[type[models.Model]]:
    """Return the kinds of rows that are kept, each after those that it refers to."""
    kept: list[tuple[Any, Any]] = [
        (app, None) for app in apps.get_app_configs() if app.models_module and app.label not in _LEFT_OUT_APPS
    ]
    found = serializers.sort_dependencies(kept)
    return [model for model in found if model._meta.label_lower not in _LEFT_OUT]
