"""A stretch of code that may not use the network, whatever it calls."""

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
    """Something asked for the network where it may not be used."""


@contextmanager
def offline() -> Iterator[None]:
    """Within this, a connection or a look-up of a host that this thread asks of Python's sockets is an error.

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
    """An audit hook stays for good, so there is one, and only once it was needed."""
    sys.addaudithook(_refuse)


def _refuse(event: str, _: tuple[Any, ...]) -> None:
    if event in _SOCKETS and getattr(_here, "offline", False):
        raise NetworkRefused("the network is not used")
