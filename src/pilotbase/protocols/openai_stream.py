"""The events of a streamed chat completion on their way through: passed on as they came, usage read off them.

Source: OpenAI API reference, "Streaming"; WHATWG HTML §9.2 (server-sent events): events end with an empty line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pilotbase.documents.errors import InputError
from pilotbase.protocols.openai_wire import TokenUsage, read_usage
from pilotbase.protocols.strict_json import WireError, read_object

MAXIMUM_EVENT_BYTES = 4 << 20


class StreamMeter:
    """Reads the usage of a stream and, where nobody tells it, counts what was said."""

    def __init__(self, show_usage: bool) -> None:
        self._show_usage, self._rest = show_usage, b""
        self.usage: TokenUsage | None = None
        self.said_bytes = 0
        """Bytes of text in the answer so far."""
        self.ended = False
        """The closing event has passed."""

    def feed(self, chunk: bytes) -> bytes:
        """Return the whole events up to here, without the usage that the caller did not ask for.

        Raises:
            WireError: an event is larger than any of the protocol, or tells an error.
        """
        *events, self._rest = (self._rest + chunk).replace(b"\r\n", b"\n").split(b"\n\n")
        if len(self._rest) > MAXIMUM_EVENT_BYTES:
            raise WireError("wire.event_size", allowed=MAXIMUM_EVENT_BYTES)
        return b"".join(event + b"\n\n" for event in events if self._passes(event))

    def finish(self) -> bytes:
        """Return what stood behind the last empty line; raises as `feed`."""
        rest, self._rest = self._rest, b""
        return rest + b"\n\n" if rest.strip() and self._passes(rest) else b""

    def _passes(self, event: bytes) -> bool:
        """Take in one event and tell whether it is passed on."""
        data = b"\n".join(_data_lines(event))
        if data == b"[DONE]":
            self.ended = True
            return True
        try:
            message = read_object(data)
        except InputError:
            return True
        if message.get("error") is not None:
            raise WireError("wire.no_choice", field="choices")
        self._count(message)
        found = read_usage(message)
        if found is None:
            return True
        self.usage = found
        return self._show_usage or bool(message.get("choices"))

    def _count(self, message: Mapping[str, object]) -> None:
        choices = message.get("choices")
        for choice in choices if isinstance(choices, list) else []:
            delta = choice.get("delta") if isinstance(choice, dict) else None
            if isinstance(delta, dict):
                self.said_bytes += sum(len(said.encode(errors="replace")) for said in delta.values() if _is_text(said))


def _data_lines(event: bytes) -> Iterator[bytes]:
    for line in event.split(b"\n"):
        if line.startswith(b"data:"):
            yield line[5:].removeprefix(b" ")


def _is_text(said: object) -> bool:
    return isinstance(said, str)
