"""Report results as text: a table of targets and one of all figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .figures import OURS, Case, Figures

Results = Sequence[tuple[Case, Figures]]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: int) -> str:
    """Return a Markdown table that is readable as plain text; columns from `numbers` on are right-aligned."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]

    def text(line: Sequence[str]) -> str:
        cells = (c.rjust(w) if i >= numbers else c.ljust(w) for i, (c, w) in enumerate(zip(line, widths, strict=True)))
        return f"| {' | '.join(cells)} |"

    rule = "|" + "|".join("-" * (w + 1) + (":" if i >= numbers else "-") for i, w in enumerate(widths)) + "|"
    return "\n".join([text(lines[0]), rule, *map(text, lines[1:])])


def _digits(value: float) -> str:
    return f"{value:.0f}" if value >= 1000 else f"{value:.3g}"


def targets(results: Results) -> str:
    """Return a table of targets: what is asked, what was reached, and whether that is enough."""
    rows = []
    for case, figures in results:
        for target in case.targets:
            value, met = target.value(figures), target.met(figures)
            if value is None:
                reached = "not measured"
            elif target.at_most is not None:
                reached = f"{_digits(value)} {case.unit}"
            else:
                reached = f"{value:.0%}" if (target.at_least or 0) < 1 else f"{_digits(value)} ×"
            verdict = {True: "met", False: "missed", None: "–"}[met]
            rows.append((case.name, target.describe(case.unit), reached, verdict))
    return _table(("case", "target", "reached", ""), rows, numbers=4)


def _why_missing(label: str) -> str:
    if label.startswith("limit"):
        return "not built"
    return "not on this machine" if label == OURS else "not usable here"


def figures_of(case: Case, figures: Figures) -> str:
    """Return a table of all rows of one case."""
    ours = figures.get(OURS)
    rows = []
    for label, figure in figures.items():
        if figure is None:
            rows.append((label, _why_missing(label), "", ""))
            continue
        ratio = f"{_digits(figure.value / ours.value)} ×" if ours and ours.value > 0 else ""
        rows.append((label, _digits(figure.minimum), _digits(figure.median), ratio))
    heading = f"**{case.name}**" + (f" ({case.note})" if case.note else "")
    return f"{heading}\n\n" + _table((case.unit, "minimum", "median", "to fanin"), rows, numbers=1)


def summary(results: Results) -> str:
    """Return a table of the fills on one thread, in ns per element: fanin beside the best of each peer."""
    columns = {OURS: OURS, "torch": "torch", "NumPy's best": "numpy", "JAX": "JAX", "oneMKL's best": "oneMKL"}
    rows = []
    for case, figures in results:
        if case.plot == "samplers":
            minima = [(label.split()[0], figure.minimum) for label, figure in figures.items() if figure is not None]
            best = [min((m for peer, m in minima if peer == wanted), default=None) for wanted in columns.values()]
            rows.append((case.name, *("–" if value is None else _digits(value) for value in best)))
    return _table(("ns an element", *columns), rows, numbers=1)


def orthogonal_summary(results: Results) -> str:
    """Return a table of the square matrices, in ms: fanin's, the peers' and a product of two matrices."""
    columns = {"fanin": OURS, "torch": "torch", "JAX": "JAX", "scipy's QR": "scipy linalg.qr", "a product": "NumPy"}
    rows = []
    for case, figures in results:
        if case.plot == "orthogonal" and any(figures.values()):
            found = [
                next((f.minimum for label, f in figures.items() if f and label.startswith(start)), None)
                for start in columns.values()
            ]
            rows.append((f"{case.size} × {case.size}", *("–" if v is None else _digits(v) for v in found)))
    return _table(("orthogonal float32, ms, two threads", *columns), rows, numbers=1)


def machine_lines(machine: Mapping[str, Any]) -> str:
    """Describe the machine in two lines, after its GPU if that was measured."""
    device = f"{machine['device']}; fills of {machine['elements']} elements.\n" if "device" in machine else ""
    caches = ", ".join(f"{level} {size}" for level, size in machine["caches"].items())
    versions = ", ".join(f"{package} {version}" for package, version in machine["versions"].items())
    build = machine["fanin"]
    return (
        f"{device}{machine['processor']}, {machine['cpus']} CPUs, {caches}; {machine['system']}.\n"
        f"fanin {build['version']} ({build['active_isa']}, {build['compiler']}), "
        f"Python {machine['python']}, {versions}."
    )


def document(results: Results, machine: Mapping[str, Any], command: str) -> str:
    """Return everything as Markdown."""
    parts = [f"`{command}` on:", machine_lines(machine)]
    if any(case.targets for case, _ in results):
        parts += ["### Targets", targets(results)]
    parts += ["### Figures", *(figures_of(case, figures) for case, figures in results)]
    return "\n\n".join(parts) + "\n"
