"""Plan how each parameter of a model is drawn, then read, fill, save or verify the parameters.

`fanin.plan` makes a plan.
"""

from __future__ import annotations

from .plan import Plan
from .saving import Saved
from .verifying import Verified

__all__ = ["Plan", "Saved", "Verified"]
