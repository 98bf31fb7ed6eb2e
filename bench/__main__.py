"""Run the benchmarks: `python -m bench --help`."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

try:
    import ml_dtypes  # noqa: F401

    import fanin  # noqa: F401
except ImportError as error:
    sys.exit(f'bench: {error}; install the package first: pip install ".[bench]"')

from . import cuda, limits, machine, plot, report
from .cases import CASES

_DOCUMENT, _README = Path("docs/performance.md"), Path("README.md")


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="3 rounds instead of 9: for a first look")
    parser.add_argument("--only", default="", metavar="PATTERN", help="only the cases whose name matches this regex")
    parser.add_argument("--output", type=Path, default="bench/results", metavar="DIR", help="default: %(default)s")
    parser.add_argument("--docs", action="store_true", help=f"write to docs/, tables in {_DOCUMENT} and {_README}")
    parser.add_argument("--cuda", action="store_true", help="measure a GPU instead: fills, by the device's clock")
    parser.add_argument("--list", action="store_true", help="print the names of the cases")
    return parser.parse_args(argv)


def _insert(path: Path, text: str, mark: str = "bench") -> None:
    """Put text between the two markers in a document."""
    region = re.compile(rf"(<!-- {mark} -->\n).*(<!-- /{mark} -->)", re.DOTALL)
    document, count = region.subn(lambda found: f"{found[1]}\n{text}\n{found[2]}", path.read_text())
    if not count:
        raise ValueError(f"{path} has no place for the figures: a line <!-- {mark} --> and a line <!-- /{mark} -->")
    path.write_text(document)


def _pictures(results: report.Results, where: Mapping[str, Any], output: Path, stem: str) -> None:
    if "device" in where:
        title = f"{where['device']}\n{where['elements']} elements, medians of one run"
        plot.samplers(results, output / f"{stem}.png", title)
        return
    title = f"{where['processor']}\none core, 2^24 elements, minima of one run"
    plot.samplers(results, output / f"{stem}.png", title)
    plot.orthogonal(results, output / "orthogonal.png", f"{where['processor']}, two threads, minima of one run")


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and write the JSON, the tables and the picture."""
    arguments = _arguments(argv)
    table = cuda.CASES if arguments.cuda else CASES
    cases = [case for case in table if re.search(arguments.only, case.name)]
    if arguments.list or not cases:
        print("\n".join(case.name for case in table))
        return 0 if arguments.list else 2
    if arguments.cuda and (reason := cuda.why_not()):
        sys.exit(f"bench: no GPU to measure: {reason}")
    if not arguments.cuda and not limits.available():
        print(f"The machine's limits are not built and left out; to build them:\n  {limits.BUILD}\n", file=sys.stderr)

    where = cuda.describe() if arguments.cuda else machine.describe()
    print(report.machine_lines(where) + "\n")
    results = []
    for case in cases:
        figures = case.measure(3 if arguments.quick else 9)
        results.append((case, figures))
        print(report.figures_of(case, figures) + "\n", flush=True)
    if any(case.targets for case in cases):
        print(report.targets(results))

    output = _DOCUMENT.parent if arguments.docs else arguments.output
    output.mkdir(parents=True, exist_ok=True)
    command = " ".join(["python -m bench", *(sys.argv[1:] if argv is None else argv)])
    stem = "performance-cuda" if arguments.cuda else "performance"
    text = report.document(results, where, command)
    rows = [
        {"case": case.name, "unit": case.unit, "figures": {k: f and asdict(f) for k, f in figures.items()}}
        for case, figures in results
    ]
    Path(output, f"{stem}.json").write_text(json.dumps({"machine": where, "results": rows}, indent=1) + "\n")
    _pictures(results, where, output, stem)
    if not arguments.docs:
        Path(output, f"{stem}.md").write_text(text)
    elif arguments.cuda:
        picture = f"![ps an element of each sampler, ours and the peers']({stem}.png)"
        _insert(_DOCUMENT, f"{picture}\n\n{text}", "bench cuda")
    else:
        _insert(_DOCUMENT, text)
        tables = f"{report.summary(results)}\n\n{report.orthogonal_summary(results)}"
        _insert(_README, f"{tables}\n\n{report.machine_lines(where)}\n")
    print(f"\nWritten to {output}/")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
