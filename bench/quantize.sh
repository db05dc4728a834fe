#!/usr/bin/env bash
# Quantization against what the memory allows and against its peers. Run by bench/run.
#
#   bench/quantize.sh
#
# BENCH_SCALE=small takes a tenth of the 400 MB and fewer rounds.
set -uo pipefail

target=${CARGO_TARGET_DIR:-target}/release/examples
megabytes=400
rounds=21
if [[ ${BENCH_SCALE:-} == small ]]; then
  megabytes=40
  rounds=7
fi
cargo build --release --locked --quiet --package bowstring-quantize --example bench --example apply || exit 1
status=0
"$target/bench" "$megabytes" "$rounds" || status=1
printf '\n'
if python=$(scripts/peers); then
  "$python" bench/quantize_peers.py "$target/apply" "$((megabytes / 4))" "$rounds" || status=1
else
  echo "numpy, gguf and onnxruntime were not measured: they cannot be installed"
fi
exit "$status"
