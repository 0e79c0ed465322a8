"""Greetings."""

from __future__ import annotations

from typing import Annotated

from pilotbase.documents.api.shapes import RequestModel, ResponseModel
from pilotbase.documents.base import Name
from pilotbase.operations.operation import PATH, Callers, Operation


class Greeted(RequestModel):
    """Who is greeted."""

    name: Annotated[Name, PATH]


class Greeting(ResponseModel):
    """A greeting, and how often this name was greeted."""

    said: str
    times: int


GREET = Operation("greetings.greet", "POST /greetings/{name}", Greeted, Greeting, callers=Callers.EVERYBODY)
