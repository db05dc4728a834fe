"""Quantization beside numpy, gguf and onnxruntime, on one thread and in turn: medians, also of the rounds' own ratios.

    python bench/quantize_peers.py target/release/examples/apply MEGABYTES ROUNDS

Needs the packages of scripts/oracles/requirements.txt. The exit code is 1 when a bar is missed.
"""

import os
import sys
import time
from pathlib import Path
from statistics import median

os.environ["OMP_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).parent.parent / "scripts" / "oracles"))

import numpy as np
import onnxruntime
from differential import Apply
from gguf import GGMLQuantizationType, quantize
from onnx import TensorProto, helper

COLUMNS = 4096


def numpy_groups(values, bits):
    """Asymmetric groups of 128 with float32 scales, packed: the same work, by whole-array operations."""
    top = 2**bits - 1
    groups = values.reshape(-1, 128)
    low = np.minimum(groups.min(axis=1, keepdims=True), 0)
    high = np.maximum(groups.max(axis=1, keepdims=True), 0)
    scales = (high - low) / np.float32(top)
    zeros = np.rint(-low / scales)
    codes = np.clip(np.rint(groups / scales) + zeros, 0, top).astype(np.uint8)
    return codes.ravel() if bits == 8 else codes[:, 0::2] | codes[:, 1::2] << 4


def dynamic_quantize(values):
    """onnxruntime's operator: one scale for the whole tensor, nothing packed."""
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("DynamicQuantizeLinear", ["x"], ["y", "scale", "zero"])],
        "graph",
        [info("x", TensorProto.FLOAT, values.shape)],
        [
            info("y", TensorProto.UINT8, values.shape),
            info("scale", TensorProto.FLOAT, ()),
            info("zero", TensorProto.UINT8, ()),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
    binding = session.io_binding()
    binding.bind_cpu_input("x", values)
    # Into the same buffers each time.
    for name, shape, kind in (("y", values.shape, np.uint8), ("scale", (), np.float32), ("zero", (), np.uint8)):
        array = np.zeros(shape, dtype=kind)
        binding.bind_ortvalue_output(name, onnxruntime.OrtValue.ortvalue_from_numpy(array))
    return lambda: session.run_with_iobinding(binding)


def main(path, megabytes, rounds):
    rows = megabytes * 1_000_000 // 4 // COLUMNS
    values = (np.random.default_rng(3).normal(size=(rows, COLUMNS)) * 0.02).astype(np.float32)
    apply = Apply(path)
    apply({"time": {}, "shape": list(values.shape)}, values)
    groups = {"bitWidth": 8, "threads": 1}
    # The peer, how often it is run, what it does, our options for the same, the least ratio.
    few = max(rounds // 3, 1)
    dynamic = dynamic_quantize(values)
    cases = [
        ("numpy, int8", few, lambda: numpy_groups(values, 8), groups, 10),
        ("numpy, int4", few, lambda: numpy_groups(values, 4), groups | {"bitWidth": 4}, 10),
        ("gguf, Q8_0", few, lambda: quantize(values, GGMLQuantizationType.Q8_0), groups | {"layout": "ggml"}, 10),
        (
            "gguf, Q4_0",
            few,
            lambda: quantize(values, GGMLQuantizationType.Q4_0),
            groups | {"layout": "ggml", "bitWidth": 4, "scheme": "symmetric"},
            10,
        ),
        (
            "gguf, Q4_1",
            few,
            lambda: quantize(values, GGMLQuantizationType.Q4_1),
            groups | {"layout": "ggml", "bitWidth": 4},
            10,
        ),
        ("onnxruntime, DynamicQuantizeLinear", rounds, dynamic, groups, 1),
        ("the same, against int4", rounds, dynamic, groups | {"bitWidth": 4}, 1),
    ]
    print(f"{values.nbytes / 1e6:.0f} MB of float32, 1 thread, statistics included, medians of up to {rounds} rounds")
    missed = 0
    for name, peer_rounds, peer, options, bar in cases:
        ours, theirs = [], []
        for at in range(peer_rounds + 1):
            answer = apply({"time": options, "shape": list(values.shape), "sameValues": True})
            start = time.perf_counter()
            peer()
            # The first round warms up.
            if at > 0:
                ours.append(answer.view(np.float64)[0])
                theirs.append(time.perf_counter() - start)
        ratio = median(their / our for our, their in zip(ours, theirs))
        speed = values.nbytes / 1e9
        verdict = "met" if ratio >= bar else "MISSED"
        missed += ratio < bar
        print(
            f"  {name:<36} {speed / median(theirs):6.2f} GB/s, ours {speed / median(ours):5.2f} GB/s, "
            f"{ratio:6.1f} times as fast  bar {bar}: {verdict}",
            flush=True,
        )
    # Of numpy, what is compared is numpy's; sys.exit takes only Python's for a code.
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
