"""Closes the way out of a Python process: it may speak with this machine alone, and who tries more is written down.

Python imports a module of this name as it starts, where its folder is on PYTHONPATH: so the processes that tests start
are closed too. What is not Python is closed by `kernel`.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from pathlib import Path
from typing import Any

#: Names the file of attempts.
VARIABLE = "HEED_TEST_ATTEMPTS"
_SENDS = ("socket.connect", "socket.sendto", "socket.sendmsg")
_ASKS = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")


class OutsideError(OSError):
    """Something reached for a machine other than this one."""


def _is_here(host: Any) -> bool:
    """Whether a host is this machine; a name is one that no name server has to be asked about."""
    text = host.decode() if isinstance(host, bytes) else host
    if text in (None, "", "localhost", socket.gethostname()):
        return True
    try:
        return ipaddress.ip_address(str(text).partition("%")[0]).is_loopback
    except ValueError:
        return False


def _is_literal(host: Any) -> bool:
    """Whether a host is an address in figures: looking it up asks nobody, and connecting to it is refused."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _SENDS:
        address = arguments[1]  # a path or None for what is no network
        outside = isinstance(address, tuple) and not _is_here(address[0])
    elif event in _ASKS:
        outside = not _is_here(arguments[0]) and not _is_literal(arguments[0])
    else:
        return
    if outside:
        what = f"{event} {arguments[1] if event in _SENDS else arguments[0]}"
        with Path(os.environ[VARIABLE]).open("a", encoding="utf-8") as file:
            file.write(f"{what} in {' '.join(sys.argv)}\n")
        raise OutsideError(f"tests stay on this machine: {what}")


if os.environ.get(VARIABLE):
    sys.addaudithook(_watch)
