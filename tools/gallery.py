"""Draw docs/schemes.png: every kind of scheme as a histogram and as an image.

pip install ".[plot]" && python tools/gallery.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from fanin import schemes
from fanin.schemes import Scheme

OI = {"layout": "OI"}
SQUARE = (64, 64)
# Scheme and shape of each picture, by the scheme's name in docs/schemes.md.
GALLERY: dict[str, tuple[Scheme, tuple[int, ...]]] = {
    "uniform": (schemes.uniform(-0.1, 0.1), SQUARE),
    "normal": (schemes.normal(std=0.02), SQUARE),
    "truncated_normal": (schemes.truncated_normal(std=0.02), SQUARE),
    "xavier_uniform": (schemes.xavier_uniform(**OI), SQUARE),
    "he_normal": (schemes.he_normal(**OI), SQUARE),
    "he_normal, truncate=2": (schemes.he_normal(truncate=2.0, **OI), SQUARE),
    "xavier_normal, blocks=(32, 8, 8)": (schemes.xavier_normal(blocks=(32, 8, 8), **OI), (48, 64)),
    "orthogonal": (schemes.orthogonal(**OI), SQUARE),
    "orthogonal, blocks=4": (schemes.orthogonal(blocks=4, **OI), (128, 32)),
    "delta_orthogonal": (schemes.delta_orthogonal(**OI), (16, 16, 5)),
    "identity": (schemes.identity(), (64, 96)),
    "dirac, groups=2": (schemes.dirac(groups=2, **OI), (32, 16, 3)),
    "sparse, nonzeros=5": (schemes.sparse(nonzeros=5, **OI), SQUARE),
    "sparse, per input": (schemes.sparse(nonzeros=5, per="input", **OI), SQUARE),
    "siren, first": (schemes.siren(first=True, **OI), (512, 2)),
    "siren": (schemes.siren(**OI), SQUARE),
    "embedding, padding=0": (schemes.embedding(padding=0), SQUARE),
    "scaled_residual, layers=12": (schemes.scaled_residual(layers=12), SQUARE),
    "fixup, blocks=16": (schemes.fixup(blocks=16, **OI), SQUARE),
    "deepnorm, 6 + 6 layers": (schemes.deepnorm(6, 6, **OI), SQUARE),
    "lstm_bias": (schemes.lstm_bias(), (64, 1)),
    "bernoulli, p=0.1": (schemes.bernoulli(0.1), SQUARE),
    "exponential": (schemes.exponential(), SQUARE),
    "log_normal": (schemes.log_normal(), SQUARE),
    "integers, 0 to 9": (schemes.integers(0, 10), SQUARE),
    "permutation": (schemes.permutation(), SQUARE),
    "log(uniform(1, 16))": (schemes.expression("log", schemes.uniform(1.0, 16.0)), SQUARE),
    "mamba_step_bias": (schemes.mamba_step_bias(), (64, 64)),
    "mamba_log_range": (schemes.mamba_log_range(), (64, 16)),
    "sinusoid": (schemes.sinusoid(100.0), SQUARE),
}
COLUMNS = 4
BAR, EDGE = "#0072b2", "#444444"


def draw() -> Figure:
    """Draw each weight, from its most negative value (blue) to its largest (red), and its histogram."""
    rows = -(-len(GALLERY) // COLUMNS)
    figure = Figure(figsize=(3.6 * COLUMNS, 2.05 * rows), layout="constrained")
    cells = figure.subplots(rows, 2 * COLUMNS, gridspec_kw={"width_ratios": [1, 1.25] * COLUMNS}).reshape(-1, 2)
    for (name, (scheme, shape)), (image, histogram) in zip(GALLERY.items(), cells, strict=False):
        weight = scheme(shape, seed=0, name="gallery", dtype="float64")
        flat = weight.reshape(shape[0], -1)
        extent = np.abs(flat).max()
        image.imshow(flat, cmap="RdBu_r", vmin=-extent, vmax=extent, aspect="auto", interpolation="nearest")
        image.set(xticks=[], yticks=[])
        image.set_title(f"{name}\n{' × '.join(map(str, shape))}", fontsize=8, loc="left")
        mostly_zero = (flat == 0).mean() > 0.7
        histogram.hist(flat.ravel(), bins=41, color=BAR, log=mostly_zero)
        histogram.yaxis.set_visible(False)
        histogram.tick_params(labelsize=7)
        counts = "\nlog counts" if mostly_zero else ""
        histogram.set_title(f"mean {flat.mean():.2g}, std {flat.std():.2g}{counts}", fontsize=8, loc="left", color=EDGE)
        histogram.spines[["top", "right", "left"]].set_visible(False)
    for axes in cells[len(GALLERY) :].ravel():
        axes.set_visible(False)
    return figure


if __name__ == "__main__":
    draw().savefig(Path(__file__).parents[1] / "docs/schemes.png", dpi=110)
