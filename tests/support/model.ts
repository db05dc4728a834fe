/** Models in safetensors files for the tests. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eighths } from "./layers.ts";
import { Workspace } from "./workspace.ts";

/** A tensor: its type, its shape and its bytes. */
export interface Tensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** A tensor of float32. */
export function float32(shape: readonly number[], values: Float32Array): Tensor {
  return {
    dtype: "F32",
    shape,
    bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  };
}

/** Writes a safetensors file. */
export function writeModel(path: string, tensors: Readonly<Record<string, Tensor>>): void {
  let end = 0;
  const entries = Object.entries(tensors).map(([name, { dtype, shape, bytes }]) => {
    const start = end;
    end += bytes.length;
    return [name, { dtype, shape, data_offsets: [start, end] }];
  });
  const header = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const file = new Uint8Array(8 + header.length + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
  file.set(header, 8);
  let at = 8 + header.length;
  for (const { bytes } of Object.values(tensors)) {
    file.set(bytes, at);
    at += bytes.length;
  }
  writeFileSync(path, file);
}

/** Reads a safetensors file. */
export function readModel(
  path: string,
): { tensors: Record<string, Tensor>; metadata: Record<string, string> } {
  const file = new Uint8Array(readFileSync(path));
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  const { __metadata__: metadata = {}, ...entries } = JSON.parse(
    new TextDecoder().decode(file.subarray(8, 8 + length)),
  );
  const tensors: Record<string, Tensor> = {};
  for (const [name, entry] of Object.entries(entries)) {
    const { dtype, shape, data_offsets: [start, end] } = entry as {
      dtype: string;
      shape: number[];
      data_offsets: [number, number];
    };
    tensors[name] = { dtype, shape, bytes: file.slice(8 + length + start, 8 + length + end) };
  }
  return { tensors, metadata };
}

/** Two layers, a tensor of one axis, and one of integers. */
export const MODEL: Readonly<Record<string, Tensor>> = {
  "embed.weight": float32([10, 64], eighths(640, 1)),
  "layers.0.weight": float32([4, 64], eighths(256, 2)),
  "layers.0.norm": float32([64], eighths(64, 3)),
  "position_ids": { dtype: "I64", shape: [2], bytes: new Uint8Array(16).fill(1) },
};

/** A workspace with these tensors in `model.safetensors`. */
export function model(tensors = MODEL): Workspace {
  const workspace = new Workspace();
  writeModel(join(workspace.path, "model.safetensors"), tensors);
  return workspace;
}
