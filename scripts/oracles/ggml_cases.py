"""Writes core/quantize/testdata/ggml-cases.json: blocks as the PyPI package `gguf` encodes them.

    python scripts/oracles/ggml_cases.py core/quantize/testdata/ggml-cases.json

Needs gguf==0.19.0. `inputs` holds little-endian float32 values as hex; `Q8_0`, `Q4_0` and `Q4_1` their blocks. The
values are smooth, tied, constant, zero, of one sign, or far apart.
"""

import json
import sys

import numpy as np
from gguf import GGMLQuantizationType as Type, quantize


def inputs():
    rng = np.random.default_rng(4)
    at = np.arange(256, dtype=np.float32)
    yield "waves", np.sin(at / 7) * np.cos(at / 3)
    yield "normal", rng.normal(size=512) * 0.02
    yield "heavy tails", rng.standard_t(2, size=512)
    yield "ties", (at - 128) / 16
    yield "halves", np.tile([0.5, -0.5, 1.5, -1.5, 7.5, -8.0, 127.0, -63.5], 32)
    yield "constant", np.full(64, 0.375)
    yield "zero", np.zeros(64)
    yield "negative zero", np.full(32, -0.0)
    yield "positive", rng.uniform(3, 4, size=128)
    yield "negative", -rng.uniform(3, 4, size=128)
    yield "one value", np.eye(32)[5] * -2.25
    yield "both signs of the maximum", np.tile([1.0, -1.0], 32)
    yield "small", rng.normal(size=128) * 1e-6
    yield "large", rng.normal(size=128) * 1e4


def main(path):
    cases = []
    for name, values in inputs():
        values = np.asarray(values, dtype="<f4").reshape(1, -1)
        case = {"name": name, "inputs": values.tobytes().hex()}
        for kind in ("Q8_0", "Q4_0", "Q4_1"):
            case[kind] = quantize(values, Type[kind]).tobytes().hex()
        cases.append(case)
    with open(path, "w", encoding="utf-8") as file:
        file.write("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
    print(f"{len(cases)} cases")


if __name__ == "__main__":
    main(sys.argv[1])
