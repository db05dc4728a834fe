#!/bin/sh
# Compiles the programs against the header and the library, and runs them. Prints one line "ok NAME" or "not ok NAME" per
# case; the exit code is 1 when one failed. In the environment, FLAGS are more flags for the compiler, LINK for the
# linker, and RUN is what the programs are run with.
#
#     tests/c/run.sh LIBRARY_DIRECTORY
set -eu

here=$(cd "$(dirname "$0")" && pwd)
library=$(cd "${1:?usage: run.sh LIBRARY_DIRECTORY}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# FLAGS, LINK and RUN are lists of words.
# shellcheck disable=SC2086
for program in extract bridge traffic; do
  "${CC:-cc}" -std=c11 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Wpedantic -Werror -g -pthread ${FLAGS:-} \
    -I"$here/../../core/include" -c "$here/$program.c" -o "$work/$program.o"
  "${CC:-cc}" -pthread "$work/$program.o" -L"$library" -lbowstring -Wl,-rpath,"$library" ${LINK:-} -o "$work/$program"
done

# run PROGRAM ARGUMENT...
# shellcheck disable=SC2086
run() {
  program=$1
  shift
  ${RUN:-} "$work/$program" "$@"
}

status=0

# same NAME: whether what was printed is what was expected.
same() {
  if diff "$work/expected" "$work/printed"; then
    echo "ok $1"
  else
    echo "not ok $1"
    status=1
  fi
}

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
# How many references there are is the engine's own business; that there are some is not.
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
exit code 0
OUTPUT
{ run extract "$work/sample.rs" && echo "exit code 0"; } 2>&1 |
  sed -E 's/^(identifiers|relationships): [1-9][0-9]*$/\1: some/' >"$work/printed"
same "C: a file is extracted and everything given back"

cat >"$work/expected" <<'OUTPUT'
symbols: 0
identifiers: 0
relationships: 0
files: 0
errors: 1
there is no job 0x100000, or it has been closed
everything was given back
exit code 0
OUTPUT
{ run extract "$work/missing.rs" && echo "exit code 0"; } >"$work/printed" 2>&1
same "C: a file that is missing is an error of its own"

cat >"$work/expected" <<'OUTPUT'
bow_extract_start(context, (const uint8_t *)options, options_length, &job, &error): status 16: options: control character (\u0000-\u001F) found while parsing a string at line 2 column 0
exit code 1
OUTPUT
name=$(printf 'two\nlines.rs')
{ run extract "$work/$name" || echo "exit code $?"; } >"$work/printed" 2>&1
same "C: a failed call has its status and message"

cat >"$work/expected" <<'OUTPUT'
schema: 2 columns
moved: yes
borrowed: 2
released: none
released: 1
on this thread: EDEADLK, get_next was ca
sum: 6000
tokens: 1000
stream moved: yes
results: 21
tokens: 20
called: 3 rows
released: 7
status 24: no such thing
released: 7
everything was given back
exit code 0
OUTPUT
{ run bridge && echo "exit code 0"; } >"$work/printed" 2>&1
same "C: tables and streams cross in both directions, and a function is called"

cat >"$work/expected" <<'OUTPUT'
everything was given back
exit code 0
OUTPUT
{ run traffic 3 && echo "exit code 0"; } >"$work/printed" 2>&1
same "C: the traffic of a binding leaves nothing behind"

exit "$status"
