"""Restrict every Python that has this folder on its path to the loopback."""

from __future__ import annotations

import sys
import typing as t


def refuse_elsewhere(event: str, args: tuple[t.Any, ...]) -> None:
    """An audit hook: no connection to, and no look-up of, any other address."""
    if event in {"socket.connect", "socket.sendto"}:
        address = args[1]
    elif event == "socket.getaddrinfo":
        address = args
    else:
        return
    if isinstance(address, tuple) and address[0] not in {"127.0.0.1", "localhost"}:
        raise RuntimeError(f"{event} leaves the loopback: {address!r}")


sys.addaudithook(refuse_elsewhere)
