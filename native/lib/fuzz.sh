# Fuzz targets for the C++ that reads foreign bytes. Sourced by ../build.
# shellcheck shell=bash

FUZZ_CXX=${FUZZ_CXX:-clang++-14}

# Builds the fuzz targets against the libraries of a variant and runs one of them: fuzz VARIANT TARGET CORPUS OPTIONS...
# CORPUS is where inputs that reach new code are kept.
fuzz() {
    local variant=$1 target=$2 corpus=$3 work
    shift 3
    command -v "$FUZZ_CXX" > /dev/null \
        || fail "fuzzing needs Clang. On Debian or Ubuntu: apt-get install --no-install-recommends clang-14 libclang-rt-14-dev libfuzzer-14-dev llvm-14"
    [ -f "$NATIVE_DIR/fuzz/targets/$target.cpp" ] || fail "there is no target '$target': take one of $(fuzz_targets)"
    with_lock
    fetch_source
    work=$(work_dir "$variant")
    build_llama "$variant" "$work" ggml llama mtmd llama-common
    mirror "$NATIVE_DIR/fuzz" "$work/own/fuzz"
    CXX=$FUZZ_CXX configure_own "$variant" "$work" "$work/fuzz" fuzz
    logged "$work/fuzz.log" cmake --build "$work/fuzz" -j "$JOBS" --target "fuzz-$target"
    exec 9>&-
    run_fuzz_target "$work" "$target" "$corpus" "$@"
}

fuzz_targets() {
    (cd "$NATIVE_DIR/fuzz/targets" && echo *.cpp | sed 's/\.cpp//g')
}

# Inputs longer than 8 KiB find little that shorter ones do not. An input may take ten seconds and a gigabyte.
run_fuzz_target() {
    local work=$1 target=$2 corpus=$3 options=()
    shift 3
    mkdir -p "$corpus"
    ulimit -s 1048576 2> /dev/null || ulimit -s "$(ulimit -H -s)" # grammars recurse: callers have large stacks
    [ ! -f "$NATIVE_DIR/fuzz/$target.dict" ] || options+=("-dict=$NATIVE_DIR/fuzz/$target.dict")
    LUQ_FUZZ_MODEL=$NATIVE_DIR/../src/test/resources/reference/llava-tiny-F16.gguf \
        LUQ_FUZZ_TEMPLATES=$work/llama.cpp/models/templates LD_LIBRARY_PATH=$work/llama/bin \
        GGML_NO_BACKTRACE=1 ASAN_SYMBOLIZER_PATH=$(command -v llvm-symbolizer-14 || command -v llvm-symbolizer) \
        "$work/fuzz/fuzz-$target" -max_len=8192 -timeout=10 -rss_limit_mb=1024 "-artifact_prefix=$corpus/../" \
        "${options[@]}" "$@" "$corpus" "$NATIVE_DIR/fuzz/corpus/$target"
}
