"""The shipped network's outputs on fixed inputs, by whichever runtime this environment has; see `tools/litert`.

    python -m models.training.runtimes OUT
    python -m models.training.runtimes --compare ONE OTHER

Needs numpy and one of the two runtimes only.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from appliance.quality.network import Network

_NETWORK = Path(__file__).resolve().parents[1] / "quality.tflite"
_INPUTS, _CUT = 200, 4.0


def outputs() -> dict[str, NDArray[np.float64]]:
    """By output, (inputs, n) steps of int8, of inputs as spread as standardised ones are."""
    network = Network(_NETWORK.read_bytes())
    rng = np.random.default_rng(0)
    found: dict[str, list[NDArray[np.float64]]] = {name: [] for name in network.steps}
    for _ in range(_INPUTS):
        inputs = {
            name: np.clip(rng.standard_normal(shape), -_CUT, _CUT).astype(np.float32)
            for name, shape in sorted(network.shapes.items())
        }
        for name, values in network.run(inputs).items():
            found[name].append(values / network.steps[name])
    return {name: np.array(rows) for name, rows in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--compare", action="store_true")
    options = parser.parse_args()
    if not options.compare:
        np.savez(options.files[0], **outputs())
        return
    with np.load(options.files[0]) as one, np.load(options.files[1]) as other:
        apart = {name: np.abs(one[name] - other[name]) for name in one.files}
    worst = max(float(each.max()) for each in apart.values())
    alike = float(np.mean([np.mean(each < 0.5) for each in apart.values()]))
    print(f"{_INPUTS} inputs: {100 * alike:.1f} % of the outputs are alike; at most {worst:.0f} steps apart")  # noqa: T201
    if worst > 1.5:
        sys.exit("litert: the two runtimes differ by more than one step: do not change from one to the other")


if __name__ == "__main__":
    main()
