"""Keep a stretch of code, and whatever it calls, from using the network."""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_SOCKETS = frozenset({"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"})
_here = threading.local()


class NetworkRefused(RuntimeError):
    """Report that something asked for the network where it may not be used."""


@contextmanager
def offline() -> Iterator[None]:
    """Raise NetworkRefused if this thread connects or looks up a host by Python's sockets inside the `with` block.

    Examples
    --------
    >>> import socket
    >>> with offline():
    ...     socket.create_connection(("localhost", 1))
    Traceback (most recent call last):
    fanin.models.offline.NetworkRefused: the network is not used
    """
    _install()
    before, _here.offline = getattr(_here, "offline", False), True
    try:
        yield
    finally:
        _here.offline = before


@functools.cache
def _install() -> None:
    """Install the audit hook, once and only when it is needed: Python cannot remove it again."""
    sys.addaudithook(_refuse)


def _refuse(event: str, _: tuple[Any, ...]) -> None:
    if event in _SOCKETS and getattr(_here, "offline", False):
        raise NetworkRefused("the network is not used")
