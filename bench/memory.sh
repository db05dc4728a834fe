#!/usr/bin/env bash
# Peak memory and live JavaScript objects of an index, against the size of what was indexed. Each size is a process of
# its own, since a peak cannot be taken back. Run by bench/run.
#
#   bench/memory.sh deno|bun LANGUAGE/PACKAGE...
#
# The directories are indexed as 1, 2, ... of them together, so that the kind of code stays alike as the size grows.
set -euo pipefail

runtime=$1
shift
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
case $runtime in
  deno) command=(scripts/runtime run deno run --allow-all --quiet --v8-flags=--expose-gc bench/memory.ts) ;;
  bun) command=(scripts/runtime run bun --expose-gc bench/memory.ts) ;;
esac

mkdir "$scratch/code"
"${command[@]}" --header
for code in "$@"; do
  cp -r "$CORPORA/$code" "$scratch/code/${code//\//-}"
  "${command[@]}" "$scratch/code" "$scratch/index.db" | tee -a "$scratch/table"
  rm -f "$scratch"/index.db*
done
"${command[@]}" --judge <"$scratch/table"
