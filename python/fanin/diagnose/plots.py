"""Draw pictures with matplotlib, which `pip install "fanin[plot]"` installs; there is a function for each.

Every function returns a new matplotlib Figure, 8 inches wide, which needs no display and leaves pyplot alone. With
`path` it is saved too; the suffix sets the format. Without matplotlib they raise ImportError.
"""

from .plot_comparison import comparison
from .plot_phase import phase
from .plot_reports import layers, spectrum, units
from .plot_updates import updates
from .plot_weights import weights

__all__ = ["comparison", "layers", "phase", "spectrum", "units", "updates", "weights"]
