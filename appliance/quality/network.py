"""A small int8 network, run by tflite-runtime or LiteRT, whichever this machine has: they have the same interpreter."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from appliance.errors import ModelError

_RUNTIMES = ("tflite_runtime.interpreter", "ai_edge_litert.interpreter")
_SIGNATURE = "serving_default"


class Network:
    """Numbers in, numbers out; that it is int8 inside is seen in their steps only. Not for two threads at once."""

    def __init__(self, content: bytes) -> None:
        """content: of a .tflite file with one signature. Raises `ModelError` for what is none or cannot run."""
        try:
            self._interpreter = _interpreter(content)
            self._run = self._interpreter.get_signature_runner(_SIGNATURE)
            self._inputs = {name: tuple(d["quantization"]) for name, d in self._run.get_input_details().items()}
            self._outputs = {name: tuple(d["quantization"]) for name, d in self._run.get_output_details().items()}
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"is not a network that can be run: {' '.join(str(error).split())}") from None

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of the inputs, by name, without a batch axis."""
        return {name: tuple(int(n) for n in d["shape"][1:]) for name, d in self._run.get_input_details().items()}

    @property
    def sizes(self) -> dict[str, int]:
        """How many numbers each output has, by name."""
        return {name: int(np.prod(d["shape"][1:])) for name, d in self._run.get_output_details().items()}

    @property
    def steps(self) -> dict[str, float]:
        """What one step of int8 is worth, by output."""
        return {name: float(scale) for name, (scale, _) in self._outputs.items()}

    def run(self, inputs: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float64]]:
        """One example: arrays by name, without a batch axis; outputs likewise. What int8 cannot hold is cut off."""
        quantised = {}
        for name, (scale, zero) in self._inputs.items():
            steps = np.rint(inputs[name] / scale) + zero
            quantised[name] = np.clip(steps, -128, 127).astype(np.int8)[None]
        found = self._run(**quantised)
        return {
            name: (found[name][0].astype(np.float64) - zero) * scale for name, (scale, zero) in self._outputs.items()
        }


def _interpreter(content: bytes) -> Any:
    """Without LiteRT's XNNPACK, which rounds otherwise: outputs were up to three steps apart, and are now the same."""
    for name in _RUNTIMES:
        try:
            runtime = importlib.import_module(name)
        except ImportError:
            continue
        plain = runtime.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        return runtime.Interpreter(model_content=content, num_threads=1, experimental_op_resolver_type=plain)
    raise ModelError("nothing here can run it: neither tflite-runtime nor ai-edge-litert is installed")
