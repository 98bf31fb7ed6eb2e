"""Train a CNN with ReLU on handwritten digits: He's weights and weights of std 0.01, with and without batch norm.

Without batch norm small weights halt training, since each layer shrinks gradients. With it every layer is scaled anew,
and the same weights train as well as He's. The program prints a table and what is wrong with each network, and draws a
figure, in about 20 seconds.

    pip install "fanin[plot]" scikit-learn
    python examples/cnn_relu.py --output cnn_relu.png
"""

import argparse

from fanin import schemes
from fanin.diagnose import Stack, compare, digits, plots

WEIGHTS = {"He": schemes.he_normal(layout="OI"), "std 0.01": schemes.normal(std=0.01)}


def main() -> None:
    """Compare, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", default="cnn_relu.png", metavar="FILE", help="the figure; default %(default)s")
    parser.add_argument("--steps", type=int, default=250, help="of plain SGD; default %(default)s")
    arguments = parser.parse_args()

    strategies = {
        f"{name}, batch norm" if norm else name: Stack(kind="conv", weights=weights, depth=4, width=20, norm=norm)
        for norm in (None, "batch")
        for name, weights in WEIGHTS.items()
    }
    result = compare(strategies, task=digits(), steps=arguments.steps, rates=(0.05, 0.5), batch=16)
    print(result)
    plots.comparison(result, path=arguments.output)


if __name__ == "__main__":
    main()
