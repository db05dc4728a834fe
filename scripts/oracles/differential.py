"""Compares the example `apply` of core/quantize with onnxruntime and gguf, byte for byte.

    python scripts/oracles/differential.py target/release/examples/apply

Needs the packages of requirements.txt. Prints a line for each kind of comparison, "N values, N differ", and at the end
"N passed, N failed".
"""

import json
import subprocess
import sys

import numpy as np
import onnxruntime
from gguf import GGMLQuantizationType, quantize
from onnx import TensorProto, helper

# name: onnx's type, bits, smallest and largest code, and the version of the operator that has it.
TYPES = {
    "int8": (TensorProto.INT8, 8, -128, 127, 21),
    "uint8": (TensorProto.UINT8, 8, 0, 255, 21),
    "int4": (TensorProto.INT4, 4, -8, 7, 21),
    "uint4": (TensorProto.UINT4, 4, 0, 15, 21),
    "int2": (TensorProto.INT2, 2, -2, 1, 25),
    "uint2": (TensorProto.UINT2, 2, 0, 3, 25),
}
ROWS, COLUMNS = 512, 1024
# Shape of the scales, axis, block size.
GRANULARITIES = {
    "tensor": ((), 0, 0),
    "axis 0": ((ROWS,), 0, 0),
    "axis 1": ((COLUMNS,), 1, 0),
    "blocks of 32": ((ROWS, COLUMNS // 32), 1, 32),
    "blocks of 128": ((ROWS, COLUMNS // 128), 1, 128),
    "blocks of 16 rows": ((ROWS // 16, COLUMNS), 0, 16),
}


class Apply:
    """The program under test."""

    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __call__(self, request, *arrays):
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        for array in arrays:
            self.process.stdin.write(np.ascontiguousarray(array).tobytes())
        self.process.stdin.flush()
        count = self.process.stdout.readline()
        if not count:
            raise RuntimeError(f"{request}: the program ended with code {self.process.wait()}")
        return np.frombuffer(self.process.stdout.read(int(count)), dtype=np.uint8)


def scales_of(rng, shape):
    """Mostly of the size of weights' scales; some very far from 1."""
    scales = np.exp2(rng.uniform(-12, 4, size=shape)).astype(np.float32)
    far = rng.random(size=shape) < 0.03
    extremes = np.exp2(rng.uniform(-126, 120, size=shape)).astype(np.float32)
    # Powers of two, so that ties are exact.
    even = rng.random(size=shape) < 0.3
    powers = np.exp2(np.round(np.log2(scales)))
    return np.where(far, extremes, np.where(even, powers, scales)).astype(np.float32)


def values_of(rng, scales, low, high):
    """Values about these scales: random, at ties and next to them, beyond the range, and the ends of float32."""
    steps = rng.normal(size=(ROWS, COLUMNS)) * (high - low) / 4
    kind = rng.random(size=steps.shape)
    ties = np.round(steps) + 0.5
    steps = np.where(kind < 0.3, ties, np.where(kind < 0.35, np.round(steps), steps))
    with np.errstate(over="ignore", under="ignore"):
        values = (steps * scales).astype(np.float32)
    near = (kind > 0.2) & (kind < 0.3)
    values = np.where(near, np.nextafter(values, np.where(kind > 0.25, np.inf, -np.inf).astype(np.float32)), values)
    f32 = np.finfo(np.float32)
    ends = np.array(
        [f32.max, f32.min, f32.tiny, -f32.tiny, f32.smallest_subnormal, 0.0, -0.0, np.inf, -np.inf], dtype=np.float32
    )
    is_end = kind > 0.995
    return np.where(is_end, ends[rng.integers(0, len(ends), size=values.shape)], values).astype(np.float32)


def session(operator, name, shape, axis, block_size, zeros):
    """One node; types of less than a byte come and go as int8 through a Cast, and zero points are part of the model."""
    kind, bits, _, _, version = TYPES[name]
    byte = TensorProto.INT8 if name.startswith("i") else TensorProto.UINT8
    zero = helper.make_tensor("zero", kind, shape, zeros.ravel().tolist())
    attributes = {"axis": axis} if shape else {}
    if block_size:
        attributes["block_size"] = block_size
    if operator == "QuantizeLinear":
        nodes = [
            helper.make_node(operator, ["in", "scale", "zero"], ["codes"], **attributes),
            helper.make_node("Cast", ["codes"], ["out"], to=byte),
        ]
        types = (TensorProto.FLOAT, byte)
    else:
        nodes = [
            helper.make_node("Cast", ["in"], ["codes"], to=kind),
            helper.make_node(operator, ["codes", "scale", "zero"], ["out"], **attributes),
        ]
        types = (byte, TensorProto.FLOAT)
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "graph",
        [info("in", types[0], (ROWS, COLUMNS)), info("scale", TensorProto.FLOAT, shape)],
        [info("out", types[1], (ROWS, COLUMNS))],
        [zero],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", version)], ir_version=11)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])


def pack(codes, bits):
    """One byte a code to packed codes, the first in the low bits."""
    codes = codes.view(np.uint8).ravel().reshape(-1, 8 // bits) & (2**bits - 1)
    packed = np.zeros(len(codes), dtype=np.uint8)
    for at in range(8 // bits):
        packed |= codes[:, at] << np.uint8(bits * at)
    return packed


class Results:
    def __init__(self):
        self.passed = self.failed = 0

    def add(self, what, values, differ):
        print(f"{what}: {values} values, {differ} differ", flush=True)
        if differ:
            self.failed += 1
        else:
            self.passed += 1


def onnx(apply, results, rounds):
    rng = np.random.default_rng(1)
    total = beyond = 0
    for name, (_, bits, low, high, _) in TYPES.items():
        counts = {"QuantizeLinear": [0, 0], "DequantizeLinear": [0, 0]}
        for granularity, (shape, axis, block_size) in GRANULARITIES.items():
            for _ in range(rounds):
                scales = scales_of(rng, shape)
                zeros = rng.integers(low, high + 1, size=shape).astype(np.int16)
                wide = np.broadcast_to(spread(scales, axis, block_size), (ROWS, COLUMNS))
                values = values_of(rng, wide, low, high)
                target = {"type": name, "axis": axis, "blockSize": block_size}
                request = {"shape": [ROWS, COLUMNS], "scales": scales.size}
                try:
                    there = session("QuantizeLinear", name, shape, axis, block_size, zeros)
                    back = session("DequantizeLinear", name, shape, axis, block_size, zeros)
                except Exception as error:  # onnxruntime has no common class for them.
                    print(f"{name}, {granularity}: onnxruntime does not do it: {str(error).splitlines()[0][:120]}")
                    break
                (codes,) = there.run(None, {"in": values, "scale": scales})
                codes = np.where(is_beyond(values, wide), np.where(values < 0, low, high).astype(codes.dtype), codes)
                beyond += int(np.count_nonzero(is_beyond(values, wide)))
                expected = pack(codes, bits)
                found = apply({"quantizeWith": target, **request}, values, scales, zeros)
                counts["QuantizeLinear"][0] += values.size
                counts["QuantizeLinear"][1] += int(np.count_nonzero(expected != found))
                expected_codes = expected

                (expected,) = back.run(None, {"in": codes, "scale": scales})
                request["codes"] = expected_codes.size
                found = apply({"dequantizeWith": target, **request}, expected_codes, scales, zeros)
                counts["DequantizeLinear"][0] += values.size
                differ = expected.ravel() != found.view(np.float32)
                counts["DequantizeLinear"][1] += int(np.count_nonzero(differ))
        for operator, (count, differ) in counts.items():
            if count:
                results.add(f"onnxruntime {onnxruntime.__version__} {operator} {name}", count, differ)
        total += counts["QuantizeLinear"][0]
    print(f"of these, {beyond} quotients are beyond int32, where onnxruntime wraps: they were compared with saturation")
    return total


def is_beyond(values, scales):
    """Whether values over scales are so large that onnxruntime, which converts to int32 before it saturates some types,
    wraps. ONNX says that they saturate."""
    with np.errstate(over="ignore", divide="ignore"):
        return np.abs(values / scales) >= 2**30


def spread(scales, axis, block_size):
    """The scale of each value, or an array that broadcasts to it."""
    if scales.ndim == 0:
        return scales
    if block_size:
        return np.repeat(scales, block_size, axis=axis)
    return scales[:, None] if axis == 0 else scales[None, :]


def ggml(apply, results, rounds):
    rng = np.random.default_rng(2)
    total = 0
    for name, bits, scheme in (("Q8_0", 8, "symmetric"), ("Q4_0", 4, "symmetric"), ("Q4_1", 4, "asymmetric")):
        count = differ = 0
        for _ in range(rounds):
            blocks = ROWS * COLUMNS // 32
            # A block's own size; scales are float16, so neither end of float32 is in range.
            sizes = np.exp2(rng.uniform(-20, 8, size=(blocks, 1)))
            values = rng.normal(size=(blocks, 32)) * sizes
            kind = rng.random(size=(blocks, 1))
            values = np.where(kind < 0.2, rng.integers(-16, 17, size=values.shape) / 8, values)
            values = np.where((kind > 0.2) & (kind < 0.25), values * (rng.random(size=values.shape) < 0.1), values)
            values = np.where((kind > 0.25) & (kind < 0.3), rng.standard_t(1.5, size=values.shape).clip(-1e4, 1e4), values)
            values = np.where((kind > 0.3) & (kind < 0.32), np.round(values / sizes) * sizes, values)
            values = np.where((kind > 0.32) & (kind < 0.34), values[:, :1], values)
            # Adding 0 makes all zeros positive: which of two zeros numpy's min returns depends on the machine.
            values = values.astype(np.float32).reshape(ROWS, COLUMNS) + np.float32(0)
            expected = quantize(values, GGMLQuantizationType[name]).ravel().view(np.uint8)
            options = {"layout": "ggml", "bitWidth": bits, "scheme": scheme}
            found = apply({"quantize": options, "shape": [ROWS, COLUMNS]}, values)
            count += values.size
            differ += int(np.count_nonzero(expected != found))
        results.add(f"gguf {name}", count, differ)
        total += count
    return total


def main(path):
    apply, results = Apply(path), Results()
    onnx_values = onnx(apply, results, 2)
    ggml_values = ggml(apply, results, 4)
    if onnx_values < 10_000_000 or ggml_values < 4_000_000:
        results.add("expected 10 million values of onnxruntime's and 4 million of gguf's", onnx_values + ggml_values, 1)
    print(f"{results.passed} passed, {results.failed} failed")
    sys.exit(results.failed > 0)


if __name__ == "__main__":
    main(sys.argv[1])
