#!/usr/bin/env bash
# CPU time (user + system, of the whole process with its children) to index the same files into SQLite: Bowstring against
# codegraph, which also records symbols, references and edges. Run by bench/run.
#
#   bench/codegraph.sh LANGUAGE/PACKAGE...
set -euo pipefail

version=1.6.1
bound=5
peer=$PEERS/codegraph-$version
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

if [[ ! -x $peer/node_modules/.bin/codegraph ]]; then
  npm install --prefix "$peer.part" --no-audit --no-fund --loglevel=error "@colbymchenry/codegraph@$version" >&2
  rm -rf "$peer"
  mv "$peer.part" "$peer"
fi

# The extensions that both tools take for the language.
extensions() {
  case $1 in
    python) echo py ;;
    typescript) echo ts ;;
    tsx) echo tsx ;;
    javascript) echo js ;;
    jsx) echo jsx ;;
    rust) echo rs ;;
    go) echo go ;;
    java) echo java ;;
    c) echo c h ;;
    cpp) echo cc cpp h hpp ;;
    csharp) echo cs ;;
    ruby) echo rb ;;
    php) echo php ;;
  esac
}

# cpu COMMAND...: its user + system seconds. What it prints goes to a file.
cpu() {
  local TIMEFORMAT='%U %S' times
  times=$({ time "$@" >"$scratch/output" 2>"$scratch/errors" </dev/null; } 2>&1) || {
    cat "$scratch/output" "$scratch/errors" >&2
    return 1
  }
  awk '{ print $1 + $2 }' <<<"$times"
}

bowstring_index() { scripts/runtime program any cli.ts index "$1" --out "$scratch/index.db"; }

# A home of its own, so that no settings, daemon or telemetry of the machine's user take part.
codegraph_index() {
  HOME=$scratch/home DO_NOT_TRACK=1 CODEGRAPH_TELEMETRY=0 CODEGRAPH_NO_DAEMON=1 \
    "$peer/node_modules/.bin/codegraph" init --yes "$1"
}

printf '%-24s %7s %9s  %12s %12s %12s %12s  %s\n' code files lines \
  'bowstring' 'codegraph' 'bowstring' 'codegraph' 'times less'
printf '%-24s %7s %9s  %12s %12s %12s %12s  %s\n' '' '' '' 'CPU s' 'CPU s' 'lines/CPU s' 'lines/CPU s' 'CPU a line'
missed=0
for code in "$@"; do
  mkdir -p "$scratch/home"
  names=()
  for extension in $(extensions "${code%/*}"); do names+=(-o -name "*.$extension"); done
  # A copy of just these files, with no ignore rules: each tool would otherwise choose its own.
  (cd "$CORPORA/$code" && find . -type f \( "${names[@]:1}" \) -size -1000k -print0) |
    (cd "$CORPORA/$code" && xargs -0 cp --parents -t "$(mkdir -p "$scratch/code" && echo "$scratch/code")")
  lines=$(find "$scratch/code" -type f -print0 | xargs -0 cat | wc -l)
  files=$(find "$scratch/code" -type f | wc -l)
  ours=$(cpu bowstring_index "$scratch/code")
  theirs=$(cpu codegraph_index "$scratch/code")
  awk -v code="$code" -v files="$files" -v lines="$lines" -v ours="$ours" -v theirs="$theirs" -v bound="$bound" 'BEGIN {
    printf "%-24s %7d %9d  %12.2f %12.2f %12.0f %12.0f  %.1f (bound %s)\n",
      code, files, lines, ours, theirs, lines / ours, lines / theirs, theirs / ours, bound
    exit theirs / ours < bound
  }' || missed=1
  rm -rf "$scratch/code" "$scratch/index.db"* "$scratch/home"
done
exit "$missed"
