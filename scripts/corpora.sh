#!/usr/bin/env bash
# Fetches real code of all thirteen languages for trials and benchmarks, at pinned versions, through the registries'
# own clients, into a directory outside the checkout. Nothing that is fetched is built, run or committed.
#
#   scripts/corpora.sh [DIRECTORY] [LANGUAGE...]
#
# DIRECTORY defaults to ${XDG_CACHE_HOME:-$HOME/.cache}/bowstring/corpora; LANGUAGE to all of them. A package that
# is already there is left alone. Needs npm, pip, go, cargo, mvn and (for c, cpp, csharp, ruby, php) apt-get; a
# client that is missing costs its languages only, and the exit code is 1.
set -euo pipefail

root=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/bowstring/corpora}
shift || true
wanted=("$@")
mkdir -p "$root"
root=$(cd "$root" && pwd)
scratch=$(mktemp -d)
trap 'chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
failures=0

say() { printf '%s\n' "$*" >&2; }

want() {
  [[ ${#wanted[@]} -eq 0 ]] && return 0
  local language
  for language in "${wanted[@]}"; do [[ $language == "$1" ]] && return 0; done
  return 1
}

# keep TARGET FUNCTION ARGUMENT...: runs FUNCTION with an empty staging directory first and moves it to TARGET only
# when it succeeded, so that an interrupted run never leaves half a package behind.
keep() {
  local target=$root/$1 stage
  shift
  [[ -d $target ]] && return 0
  stage=$(mktemp -d "$scratch/stage.XXXXXX")
  say "fetching ${target#"$root"/}"
  # A subshell with its own errexit: `if f` would switch it off inside f.
  set +e
  (set -e; "$1" "$stage" "${@:2}") >"$scratch/log" 2>&1
  local status=$?
  set -e
  if [[ $status -ne 0 ]] || [[ -z $(ls -A "$stage") ]]; then
    say "  failed:"
    tail -n 5 "$scratch/log" | sed 's/^/  /' >&2
    failures=$((failures + 1))
    return 0
  fi
  mkdir -p "$(dirname "$target")"
  mv "$stage" "$target"
}

from_npm() { # STAGE PACKAGE@VERSION
  (cd "$scratch" && npm pack --silent --pack-destination "$1" "$2")
  unpack "$1"
}

from_pypi() { # STAGE PACKAGE==VERSION
  pip download --quiet --no-deps --no-binary :all: --dest "$1" "$2"
  unpack "$1"
}

from_go() { # STAGE MODULE@VERSION
  (cd "$scratch" && GOMODCACHE=$scratch/go GOFLAGS=-mod=mod go mod download "$2")
  local name=${2%@*}
  cp -r "$scratch/go/$name@${2#*@}/." "$1"
  chmod -R u+w "$1"
}

from_maven() { # STAGE GROUP:ARTIFACT:VERSION
  mvn --batch-mode --quiet org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
    "-Dartifact=$2:jar:sources" "-DoutputDirectory=$1"
  local jar
  for jar in "$1"/*.jar; do (cd "$1" && unzip -q "$jar" && rm "$jar"); done
}

# All crates in one resolution: `cargo vendor` is cargo's own way to get sources without building them.
from_cargo() { # STAGE CRATE=VERSION...
  local stage=$1 crate
  shift
  mkdir -p "$scratch/crates/src"
  : >"$scratch/crates/src/lib.rs"
  {
    printf '[package]\nname = "corpora"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n[dependencies]\n'
    for crate in "$@"; do printf '%s = "=%s"\n' "${crate%=*}" "${crate#*=}"; done
  } >"$scratch/crates/Cargo.toml"
  (cd "$scratch/crates" && cargo vendor --quiet --versioned-dirs vendor)
  for crate in "$@"; do mv "$scratch/crates/vendor/${crate%=*}-${crate#*=}" "$stage/"; done
}

# The machine's own package sources, asked for source packages, with lists and cache of our own: no root, and the
# machine's apt state stays as it is.
apt_private() {
  apt-get -o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$scratch/apt/parts" \
    -o "Dir::State::Lists=$scratch/apt/lists" -o "Dir::Cache=$scratch/apt/cache" -o APT::Sandbox::User= "$@"
}

apt_prepare() {
  [[ -d $scratch/apt ]] && return 0
  mkdir -p "$scratch/apt/parts" "$scratch/apt/lists/partial" "$scratch/apt/cache"
  local file
  for file in /etc/apt/sources.list.d/debian*.sources; do
    [[ -f $file ]] && sed 's/^Types:.*/Types: deb-src/' "$file" >"$scratch/apt/parts/${file##*/}"
  done
  if [[ -f /etc/apt/sources.list ]]; then
    sed -n 's/^deb /deb-src /p' /etc/apt/sources.list >"$scratch/apt/parts/machine.list"
  fi
  apt_private update
}

from_debian() { # STAGE PACKAGE UPSTREAM_VERSION
  apt_prepare
  (cd "$1" && apt_private source --download-only --tar-only "$2")
  if ! compgen -G "$1/$2_$3*" >/dev/null; then
    say "  note: the distribution has $(cd "$1" && echo *), not the pinned $3; figures may differ"
  fi
  unpack "$1"
}

# Mono's archive is 60,000 C# files, most of them generated tests: the class library, the compiler and a part of the
# newer core library are plenty.
from_debian_mono() { # STAGE
  from_debian "$1" mono 6.8.0.105
  local part
  mkdir "$1/mono"
  for part in mcs/mcs mcs/class/corlib mcs/class/System mcs/class/System.Web external/corefx/src/System.Linq.Expressions \
    external/corefx/src/System.Collections.Immutable external/corefx/src/System.Net.Http external/cecil external/rx; do
    mkdir -p "$1/mono/$(dirname "$part")"
    mv "$1"/mono-*/"$part" "$1/mono/$part"
  done
  rm -rf "$1"/mono-*
}

unpack() { # DIRECTORY: every archive in it, in place
  local archive
  for archive in "$1"/*.tgz "$1"/*.tar.*; do
    [[ -f $archive ]] || continue
    tar -xf "$archive" -C "$1" --no-same-owner
    rm "$archive"
  done
}

have() { # CLIENT LANGUAGE...
  command -v "$1" >/dev/null && return 0
  local language
  for language in "${@:2}"; do
    want "$language" && { say "$1 is missing: no ${*:2}"; failures=$((failures + 1)); return 1; }
  done
  return 1
}

if have npm typescript tsx javascript jsx; then
  if want typescript; then
    keep typescript/rxjs from_npm rxjs@7.8.2
    keep typescript/effect from_npm effect@3.19.3
    keep typescript/zod from_npm zod@4.1.12
    keep typescript/viem from_npm viem@2.40.0
    keep typescript/apache-arrow from_npm apache-arrow@21.1.0
    keep typescript/tanstack-query-core from_npm @tanstack/query-core@5.90.20
  fi
  if want tsx; then
    keep tsx/react-spectrum-s2 from_npm @react-spectrum/s2@1.0.0
    keep tsx/react-aria-components from_npm react-aria-components@1.13.0
    keep tsx/blueprint-core from_npm @blueprintjs/core@6.3.4
    keep tsx/react-native-paper from_npm react-native-paper@5.14.5
    keep tsx/coreui-react from_npm @coreui/react@5.9.0
  fi
  if want javascript; then
    keep javascript/three from_npm three@0.180.0
    keep javascript/webpack from_npm webpack@5.102.0
    keep javascript/cesium-engine from_npm @cesium/engine@20.0.0
    keep javascript/core-js from_npm core-js@3.46.0
    keep javascript/eslint from_npm eslint@9.38.0
    keep javascript/lodash from_npm lodash@4.17.21
  fi
  if want jsx; then
    keep jsx/paragon from_npm @openedx/paragon@23.14.0
    keep jsx/frontend-component-header from_npm @edx/frontend-component-header@6.4.0
    keep jsx/semantic-ui-react from_npm semantic-ui-react@2.1.5
  fi
fi
if want python && have pip python; then
  keep python/django from_pypi django==5.2.7
  keep python/sqlalchemy from_pypi sqlalchemy==2.0.44
  keep python/sympy from_pypi sympy==1.14.0
fi
if want go && have go go; then
  keep go/kubernetes from_go k8s.io/kubernetes@v1.34.1
  keep go/client-go from_go k8s.io/client-go@v0.34.1
  keep go/apimachinery from_go k8s.io/apimachinery@v0.34.1
fi
if want rust && have cargo rust; then
  keep rust/crates from_cargo tokio=1.48.0 serde=1.0.228 clap_builder=4.5.50 syn=2.0.108 regex-automata=0.4.13 \
    hyper=1.7.0 rustls=0.23.34 rayon=1.11.0 wgpu-core=27.0.1 naga=27.0.3 arrow-array=57.0.0 parquet=57.0.0 \
    datafusion-physical-plan=50.3.0 sqlparser=0.59.0 bevy_ecs=0.17.2 nalgebra=0.34.1 polars-core=0.51.0
fi
if want java && have mvn java; then
  keep java/spring-core from_maven org.springframework:spring-core:6.2.12
  keep java/spring-context from_maven org.springframework:spring-context:6.2.12
  keep java/spring-web from_maven org.springframework:spring-web:6.2.12
  keep java/guava from_maven com.google.guava:guava:33.5.0-jre
  keep java/hibernate-core from_maven org.hibernate.orm:hibernate-core:6.6.33.Final
  keep java/lucene-core from_maven org.apache.lucene:lucene-core:10.3.1
fi
if have apt-get c cpp csharp ruby php; then
  if want c; then
    keep c/redis from_debian redis 7.0.15
    keep c/git from_debian git 2.39.5
    keep c/vim from_debian vim 9.0.1378
  fi
  if want cpp; then
    keep cpp/rocksdb from_debian rocksdb 7.8.3
    keep cpp/protobuf from_debian protobuf 3.21.12
    keep cpp/leveldb from_debian leveldb 1.23
  fi
  if want csharp; then
    keep csharp/mono from_debian_mono
    keep csharp/keepass2 from_debian keepass2 2.47
    keep csharp/newtonsoft-json from_debian newtonsoft-json 6.0.8
  fi
  if want ruby; then
    keep ruby/rails from_debian rails 6.1.7
    keep ruby/ruby from_debian ruby3.1 3.1.2
  fi
  if want php; then
    keep php/symfony from_debian symfony 5.4
    keep php/wordpress from_debian wordpress 6.1
    keep php/phpmyadmin from_debian phpmyadmin 5.2.1
  fi
fi

# What came, per language: package, files and lines of that language's extensions.
extensions() {
  case $1 in
    typescript) echo ts mts cts ;;
    tsx) echo tsx ;;
    javascript) echo js mjs cjs ;;
    jsx) echo jsx js ;;
    python) echo py pyi ;;
    rust) echo rs ;;
    go) echo go ;;
    java) echo java ;;
    c) echo c h ;;
    cpp) echo cc cpp cxx hpp hh h ;;
    csharp) echo cs ;;
    ruby) echo rb rake ;;
    php) echo php ;;
  esac
}

{
  total_files=0
  total_lines=0
  for directory in "$root"/*/*/; do
    directory=${directory%/}
    language=$(basename "$(dirname "$directory")")
    names=()
    for extension in $(extensions "$language"); do names+=(-o -name "*.$extension"); done
    [[ ${#names[@]} -gt 0 ]] || continue
    files=$(find "$directory" -type f \( "${names[@]:1}" \) | wc -l)
    lines=$(find "$directory" -type f \( "${names[@]:1}" \) -print0 | xargs -0 -r cat | wc -l)
    printf '%-12s %-28s %7d files %9d lines\n' "$language" "$(basename "$directory")" "$files" "$lines"
    total_files=$((total_files + files))
    total_lines=$((total_lines + lines))
  done
  printf '%-41s %7d files %9d lines\n' total "$total_files" "$total_lines"
} | tee "$root/INDEX.txt"

[[ $failures -eq 0 ]] || { say "$failures could not be fetched"; exit 1; }
