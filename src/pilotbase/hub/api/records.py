"""What stands in the addresses of routes that are still written by hand; it goes with the last of them."""

from __future__ import annotations

from typing import Annotated

import pydantic
from ninja import Path

from pilotbase.documents.base import Name
from pilotbase.documents.hashes import HEX, Digest

Word = Path[Name]
Sha256 = Path[Digest]
Identity = Path[Annotated[str, pydantic.StringConstraints(pattern=f"^{HEX}$")]]
