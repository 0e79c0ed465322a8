"""The first program in a box with an image as its root: it gives up every privilege, then becomes the runner.

prlimit and setpriv look up names of users, which libraries of an image would answer; so nothing of an image is loaded
before the privileges are gone. Everything used until then is built into the interpreter. Stands alone: standard library
only.

``python entering.py UID --LIMIT=SOFT[:HARD] … -- SCRIPT ARGUMENTS``; UID ``-`` keeps the present user.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Become the user, set the limits, run the script in this process."""
    user, *rest = sys.argv[1:]
    if user != "-":
        become(int(user))
        inherit_nothing()
    end = rest.index("--")
    set_limits(rest[:end])
    sys.argv = rest[end + 1 :]

    import runpy

    runpy.run_path(sys.argv[0], run_name="__main__")


def become(user: int) -> None:
    """Change all three ids, which drops every capability."""
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def inherit_nothing() -> None:
    """Drop the capabilities that privileged programs could still inherit (capset(2), version 3)."""
    import ctypes

    header, none = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    if ctypes.CDLL(None, use_errno=True).capset(header, none):
        raise OSError(ctypes.get_errno(), "capset")


def set_limits(words: list[str]) -> None:
    """Set limits as prlimit spells them."""
    import resource

    for word in words:
        name, _, bounds = word.removeprefix("--").partition("=")
        soft, _, hard = bounds.partition(":")
        resource.setrlimit(getattr(resource, f"RLIMIT_{name.upper()}"), (int(soft), int(hard or soft)))


if __name__ == "__main__":
    main()
