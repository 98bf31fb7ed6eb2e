"""Train a deep MLP with tanh on handwritten digits: Xavier's weights, too small ones, too large ones, and zeros.

Theory predicts how gradients change from layer to layer, a probe measures it before training, and plain SGD shows what
it leads to. The program prints a table and what is wrong with each network, and draws a figure, in about 20 seconds.

    pip install "fanin[plot]" scikit-learn
    python examples/mlp_tanh.py --output mlp_tanh.png
"""

import argparse

from fanin import schemes
from fanin.diagnose import Stack, compare, digits, plots

XAVIER = schemes.xavier_normal(layout="OI")
STRATEGIES = {
    "Xavier": XAVIER,
    "Xavier / 3, too small": 1 / 3 * XAVIER,
    "Xavier × 3, too large": 3 * XAVIER,
    "zeros": schemes.zeros(),
}


def main() -> None:
    """Compare, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", default="mlp_tanh.png", metavar="FILE", help="the figure; default %(default)s")
    parser.add_argument("--steps", type=int, default=200, help="of plain SGD; default %(default)s")
    arguments = parser.parse_args()

    stack = Stack(weights=XAVIER, depth=15, width=64, activation="tanh")
    result = compare(STRATEGIES, stack=stack, task=digits(), steps=arguments.steps)
    print(result)
    plots.comparison(result, path=arguments.output)


if __name__ == "__main__":
    main()
