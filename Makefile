# Needs a C compiler, a Rust toolchain and one of npm, Bun and Deno; everything else is fetched from the registries.
# A target that has nothing to do takes a moment and does nothing.

# The directory to index, and the index file (by default .bowstring/index.db in that directory).
REPO = .
OUT =
# deno, bun, or any: whichever is there.
RUNTIME = any

# Cargo does not put its own CFLAGS (.cargo/config.toml) beside those of the environment.
ifneq ($(CFLAGS),)
export CFLAGS := $(CFLAGS) -DNDEBUG
endif

.PHONY: build setup index test check generate differential bench corpora sanitize stress fuzz clean

# The native library, and the npm packages that run it.
build: setup library

# Deno and Bun where they are missing, apache-arrow and the command's own packages.
setup:
	@scripts/runtime install

.PHONY: library
library:
	@cargo build --release --locked --package bowstring

# Prints what it found; the last line is "indexed N files: N symbols, N identifiers, N relationships in N s".
index: build
	@scripts/runtime program $(RUNTIME) cli.ts index "$(REPO)" $(if $(OUT),--out "$(OUT)")

# Everything that can fail: Rust, C, and the TypeScript suites under Deno and under Bun.
test: build
	@cargo build --release --locked --package native-filter
	@scripts/drivers >/dev/null || echo "without an ADBC driver, the tests of databases that use it are skipped"
	@scripts/test

# What needs no test run: formatting, lints, types, documentation, and the generated files.
check: build
	@scripts/check

# Quantization against PyPI's onnxruntime and gguf, at pinned versions and checksums: no byte may differ.
differential:
	@scripts/differential

# The ADBC drivers that the tests use, into the cache directory.
drivers:
	@scripts/drivers

# The C header and the TypeScript symbol table, from the Rust sources.
generate:
	@cargo run --quiet --locked --package xtask -- generate

# Every benchmark, each beside its peer. Fetches the peers and the code they are run on.
bench: build
	@bench/run

# Real code of all thirteen languages, into the cache directory.
corpora:
	@scripts/corpora.sh

# The tests of what touches foreign memory, under AddressSanitizer and valgrind.
sanitize: library
	@scripts/sanitize "$(or $(CARGO_TARGET_DIR),target)/release"

# A million round trips through export and import on each runtime, with flat resident memory.
stress: build
	@scripts/runtime run deno run --allow-all --v8-flags=--expose-gc tests/scripts/round_trips.ts 1000000
	@scripts/runtime run bun run tests/scripts/round_trips.ts 1000000

# Fuzzes what reads structs from outside, SECONDS_EACH for each harness, under AddressSanitizer.
SECONDS_EACH = 60
fuzz:
	@scripts/fuzz $(SECONDS_EACH)

clean:
	cargo clean
	rm -rf node_modules
