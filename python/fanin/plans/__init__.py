"""Plans: a model's parameters, each with the rule that draws it, to read, to fill and to save.

`fanin.plan` makes one.
"""

from __future__ import annotations

from .plan import Plan, plan
from .saving import Saved
from .verifying import Verified

__all__ = ["Plan", "Saved", "Verified", "plan"]
