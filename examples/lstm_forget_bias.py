"""Train an LSTM that reads handwritten digits row by row and then waits for as many steps before it answers.

With a forget bias of 0 the gate is half open: what was read halves at every step, and so does the gradient on its way
back. With a bias of 1 the gate keeps 73 %. Orthogonal recurrent weights help too, tiny ones do not. The program prints
a table and what is wrong with each network, and draws a figure, in about 20 seconds.

    pip install "fanin[plot]" scikit-learn
    python examples/lstm_forget_bias.py --output lstm_forget_bias.png
"""

import argparse
import dataclasses

import numpy as np

from fanin import schemes
from fanin.diagnose import Stack, compare, digits, plots

ORTHOGONAL = schemes.orthogonal(blocks=4, layout="OI")  # each gate is orthogonal
STRATEGIES = {
    "orthogonal, bias 1": (ORTHOGONAL, 1.0),
    "orthogonal, bias 0": (ORTHOGONAL, 0.0),
    "std 0.01, bias 0": (schemes.normal(std=0.01), 0.0),
}


def waiting(x: np.ndarray) -> np.ndarray:
    """Return the eight rows of each digit, followed by eight steps of zeros."""
    rows = x.reshape(-1, 8, 8)
    return np.concatenate([rows, np.zeros_like(rows)], axis=1)


def main() -> None:
    """Compare, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", default="lstm_forget_bias.png", metavar="FILE", help="default %(default)s")
    parser.add_argument("--steps", type=int, default=200, help="of plain SGD; default %(default)s")
    arguments = parser.parse_args()

    strategies = {
        name: Stack(kind="lstm", weights=weights, biases=schemes.lstm_bias(forget), activation="tanh", width=32)
        for name, (weights, forget) in STRATEGIES.items()
    }
    read = digits()
    inputs, test_inputs = waiting(read.inputs), waiting(read.test_inputs)
    task = dataclasses.replace(read, name="digits and a wait", inputs=inputs, test_inputs=test_inputs)
    result = compare(strategies, task=task, steps=arguments.steps, rates=(0.3, 1.0), batch=32)
    print(result)
    plots.comparison(result, path=arguments.output)


if __name__ == "__main__":
    main()
