#!/usr/bin/env bash
# The bridge, against its floors and peers. Run by bench/run.
#
#   bench/bridge.sh deno|bun [PART]...
set -euo pipefail

version=0.4.3
arrow=21.2.0
runtime=$1
shift
export ARROW_JS_FFI=${PEERS:-${XDG_CACHE_HOME:-$HOME/.cache}/bowstring/peers}/arrow-js-ffi-$version

if [[ ! -d $ARROW_JS_FFI/node_modules/arrow-js-ffi ]]; then
  npm install --prefix "$ARROW_JS_FFI.part" --no-audit --no-fund --loglevel=error \
    "arrow-js-ffi@$version" "apache-arrow@$arrow" >&2
  rm -rf "$ARROW_JS_FFI"
  mv "$ARROW_JS_FFI.part" "$ARROW_JS_FFI"
fi
cargo build --release --locked --quiet --package bowstring-bench
case $runtime in
  deno) exec scripts/runtime run deno run --allow-all --quiet --v8-flags=--expose-gc bench/bridge.ts "$@" ;;
  bun) exec scripts/runtime run bun --expose-gc bench/bridge.ts "$@" ;;
esac
