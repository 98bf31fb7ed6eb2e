"""Libraries imported when a test first uses them: where one is missing, its tests are still collected and counted."""

import importlib
from typing import Any


class Peer:
    """A module by name; a missing one fails the test that asks for it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(importlib.import_module(self._name), attribute)
