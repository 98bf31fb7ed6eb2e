"""Import libraries when a test first uses them: if one is missing, its tests are still collected and counted."""

import importlib
from typing import Any


class Peer:
    """Stand for a module by name; if it is missing, the test that uses it fails."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(importlib.import_module(self._name), attribute)
