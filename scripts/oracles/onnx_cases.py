"""Writes core/quantize/testdata/onnx-cases.json: the node tests of QuantizeLinear, DequantizeLinear and
DynamicQuantizeLinear that the PyPI package `onnx` generates.

    python scripts/oracles/onnx_cases.py core/quantize/testdata/onnx-cases.json

Needs onnx==1.23.2. Each case has `name`, `op`, `attrs`, `inputs` and `outputs`; a tensor has `type`, `shape`, `values`
and, for types of less than a byte, `packed_hex`: the codes packed as ONNX packs them, the first in the low bits.
"""

import json
import sys

import numpy as np
import onnx
from onnx import helper
from onnx.backend.test.case.node import collect_testcases

OPS = ("DequantizeLinear", "DynamicQuantizeLinear", "QuantizeLinear")
SUB_BYTE = {"INT4": 4, "UINT4": 4, "INT2": 2, "UINT2": 2}


def pack(codes, bits):
    per_byte = 8 // bits
    codes = [int(code) & (1 << bits) - 1 for code in codes]
    codes += [0] * (-len(codes) % per_byte)
    return bytes(
        sum(code << bits * at for at, code in enumerate(codes[first : first + per_byte]))
        for first in range(0, len(codes), per_byte)
    )


def tensor(array, kind):
    if isinstance(array, onnx.TensorProto):
        array = onnx.numpy_helper.to_array(array)
    array = np.asarray(array)
    values = array.astype(np.float64).ravel()
    this = {"type": kind, "shape": list(array.shape), "values": [float(value) for value in values]}
    if kind in SUB_BYTE:
        this["packed_hex"] = pack(values, SUB_BYTE[kind]).hex()
    return this


def kinds(infos):
    return [onnx.TensorProto.DataType.Name(info.type.tensor_type.elem_type) for info in infos]


def main(path):
    cases = []
    for case in collect_testcases(None):
        graph = case.model.graph
        if len(graph.node) != 1 or graph.node[0].op_type not in OPS:
            continue  # Other operators, and these spelt out as functions.
        inputs, outputs = case.data_sets[0]
        cases.append(
            {
                "name": case.name,
                "op": graph.node[0].op_type,
                "attrs": {a.name: helper.get_attribute_value(a) for a in graph.node[0].attribute},
                "inputs": [tensor(*pair) for pair in zip(inputs, kinds(graph.input))],
                "outputs": [tensor(*pair) for pair in zip(outputs, kinds(graph.output))],
            }
        )
    cases.sort(key=lambda case: case["name"])
    with open(path, "w", encoding="utf-8") as file:
        file.write("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
    print(f"onnx {onnx.__version__}: {len(cases)} cases")


if __name__ == "__main__":
    main(sys.argv[1])
