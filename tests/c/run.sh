#!/bin/sh
# Compiles extract.c against the header and the library, runs it on a small file and compares what it prints.
#
#     tests/c/run.sh LIBRARY_DIRECTORY
set -eu

here=$(cd "$(dirname "$0")" && pwd)
library=$(cd "${1:?usage: run.sh LIBRARY_DIRECTORY}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"${CC:-cc}" -std=c11 -Wall -Wextra -Werror -pedantic -I"$here/../../core/include" "$here/extract.c" \
  -L"$library" -lbowstring -Wl,-rpath,"$library" -o "$work/extract"

cat >"$work/sample.rs" <<'SOURCE'
struct Point {
    x: f32,
}

impl Point {
    fn norm(&self) -> f32 {
        self.x.abs()
    }
}
SOURCE

cat >"$work/expected" <<'OUTPUT'
1 struct Point
2 field x
6 method norm
symbols: 3
identifiers: some
relationships: some
files: 1
errors: 0
there is no job 0x100000, or it has been closed
everything was given back
OUTPUT

# How many references there are is the engine's own business; that there are some is not.
"$work/extract" "$work/sample.rs" >"$work/printed"
sed -E 's/^(identifiers|relationships): [1-9][0-9]*$/\1: some/' "$work/printed" >"$work/found"
diff "$work/expected" "$work/found"

# Called wrongly, it must say so and fail.
if "$work/extract" relative.rs 2>"$work/message"; then
  echo "a relative path was accepted" >&2
  exit 1
fi
echo "extract: the file's path must be absolute" | diff - "$work/message"
echo "tests/c: 2 passed, 0 failed"
