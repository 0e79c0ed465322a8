"""OPC UA PubSub, JSON message mapping: a NetworkMessage with DataSetMessages, whose payload holds the fields.

Sources: OPC 10000-14 (PubSub), JSON message mapping (7.2.5): ``MessageId``, ``MessageType``, ``Messages``, ``Payload``,
``Timestamp``, ``Status``; OPC 10000-6, JSON encoding of Variant and DataValue; OPC 10000-4, StatusCode: its two highest
bits are the severity (0 good, 1 uncertain, 2 bad).
"""

from __future__ import annotations

from collections.abc import Iterator

from pilotbase.documents.exchanges import MessagePath
from pilotbase.documents.yaml_reader import Plain
from pilotbase.protocols.exchanges.trees import MessageFormat, Path, Tree, read_tree
from pilotbase.protocols.strict_json import WireError

_DATA = "ua-data"
_SEVERITY_SHIFT, _BAD = 30, 2


def _read(body: bytes) -> Tree:
    tree = read_tree(body)
    if tree.get("MessageType", _DATA) != _DATA:
        raise WireError("exchange.foreign_kind", found=str(tree["MessageType"])[:60], wanted=_DATA)
    if not isinstance(tree.get("Messages"), list | dict):
        raise WireError("exchange.no_messages")
    return tree


def _messages(tree: Tree) -> Iterator[tuple[Path, Tree]]:
    """Yield the DataSetMessages; a single one may have no list around it."""
    found = tree["Messages"]
    if isinstance(found, dict):
        yield ("Messages",), found
    for at, one in enumerate(found if isinstance(found, list) else ()):
        if isinstance(one, dict):
            yield ("Messages", at), one


def _locate(tree: Tree, place: MessagePath) -> list[Path]:
    """Return the fields of that name, without those of a DataSetMessage with a bad status."""
    return [
        (*path, "Payload", place.at)
        for path, message in _messages(tree)
        if isinstance(payload := message.get("Payload"), dict)
        and place.at in payload
        and not _is_bad(message.get("Status"), place)
    ]


def _value(found: Plain, place: MessagePath) -> Plain:
    """Return the value of a field, whether it is raw, a Variant or a DataValue; None if its status is bad."""
    if isinstance(found, dict) and ("Value" in found or "StatusCode" in found):
        if _is_bad(found.get("StatusCode"), place):
            return None
        found = found.get("Value")
    return found.get("Body") if isinstance(found, dict) and "Body" in found else found


def _is_bad(status: Plain, place: MessagePath) -> bool:
    """Return whether a StatusCode, as a number or with its name beside it, is bad."""
    code = status.get("Code", 0) if isinstance(status, dict) else status
    if code is None:
        return False
    if not isinstance(code, int) or isinstance(code, bool):
        raise WireError("exchange.wrong_type", place.at, found=str(code)[:40])
    return code >> _SEVERITY_SHIFT >= _BAD


def _time(tree: Tree) -> Plain:
    times = [message.get("Timestamp") for _, message in _messages(tree)]
    return max((one for one in times if isinstance(one, str)), default=_newest_source(tree))


def _newest_source(tree: Tree) -> str | None:
    payloads = [payload for _, one in _messages(tree) if isinstance(payload := one.get("Payload"), dict)]
    values = [value for payload in payloads for value in payload.values() if isinstance(value, dict)]
    times = [value.get("SourceTimestamp") for value in values]
    return max((one for one in times if isinstance(one, str)), default=None)


OPCUA = MessageFormat(_read, _locate, _value, lambda tree: tree.get("MessageId"), _time)
