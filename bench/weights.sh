#!/usr/bin/env bash
# Peak private memory of `bowstring quantize` over a large model: a safetensors file of GIBIBYTES (4 unless said) in layers of
# 64 MiB, most of it sparse, to each format of a result. The bound is 512 MiB.
#
#   bench/weights.sh deno|bun [GIBIBYTES]
#
# Private is what is anonymous (RssAnon of /proc/PID/status, sampled): pages of the mapped file are the page cache's.
set -euo pipefail
cd "$(dirname "$0")/.."

runtime=$1
gibibytes=${2:-4}
bound=512
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
case $runtime in
  deno) command=(scripts/runtime run deno run --allow-all --quiet cli.ts) ;;
  bun) command=(scripts/runtime run bun cli.ts) ;;
esac

layers=$((gibibytes * 16))
bytes=$((64 << 20))
header=$(for ((at = 0; at < layers; at++)); do
  printf '"layers.%d.weight":{"dtype":"F32","shape":[4096,4096],"data_offsets":[%d,%d]},' \
    "$at" $((at * bytes)) $(((at + 1) * bytes))
done)
header="{${header%,}}"
while (((${#header} % 8) != 0)); do header+=" "; done
model=$scratch/model.safetensors
length=${#header}
{
  for ((shift = 0; shift < 64; shift += 8)); do
    # shellcheck disable=SC2059 # the format is the byte
    printf "\\x$(printf %02x $(((length >> shift) & 255)))"
  done
  printf %s "$header"
} >"$model"
truncate -s $((8 + length + layers * bytes)) "$model"
# Some values in each layer, written in place: bytes below 0x3f are small finite numbers.
head -c 1048576 /dev/urandom | tr '\200-\377' '\000-\077' | tr '\100-\177' '\000-\077' >"$scratch/values"
for ((at = 0; at < layers; at++)); do
  dd if="$scratch/values" of="$model" bs=1M conv=notrunc status=none \
    oflag=seek_bytes seek=$((8 + length + at * bytes))
done

# Of a process and those that it starts: a launcher may stand before the runtime.
private() {
  local pid child total=0 found
  for pid in "$1" $(pgrep -P "$1" || true); do
    found=$(awk '/^RssAnon/ { print $2 }' "/proc/$pid/status" 2>/dev/null || true)
    total=$((total + ${found:-0}))
  done
  echo "$total"
}

failed=0
for format in parquet arrow safetensors; do
  "${command[@]}" quantize "$model" --to "$scratch/out.$format" >"$scratch/log" 2>&1 &
  pid=$!
  peak=0
  while kill -0 "$pid" 2>/dev/null; do
    now=$(private "$pid")
    ((now <= peak)) || peak=$now
    sleep 0.02
  done
  wait "$pid" || {
    cat "$scratch/log" >&2
    exit 1
  }
  verdict=ok
  ((peak / 1024 < bound)) || { verdict=missed; failed=1; }
  echo "$runtime: $gibibytes GiB to $format: at most $((peak / 1024)) MiB private, bound $bound: $verdict"
  rm -f "$scratch/out.$format"
done
exit "$failed"
