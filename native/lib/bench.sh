# Programs that measure or test, outside the normal build, with the very libraries of a variant. Sourced by ../build.
# shellcheck shell=bash

# llama-bench, the yardstick for our overhead.
build_llama_bench() {
    local variant=$1 directory=$2 work
    with_lock
    fetch_source
    work=$(work_dir "$variant")
    say "compiling llama-bench: minutes unless luq-native.jar was built before"
    build_llama "$variant" "$work" llama-bench
    mkdir -p "$directory"
    cp -P "$work"/llama/bin/*.so* "$work/llama/bin/llama-bench" "$directory"
    echo "$(cd "$directory" && pwd)/llama-bench"
}

# Our kernels' own programs beside the libraries that they compare with.
build_kernel_bench() {
    local variant=$1 directory=$2 work
    with_lock
    fetch_source
    work=$(work_dir "$variant")
    build_llama "$variant" "$work" ggml
    configure_kernels "$work" "$work/kernels" -DCMAKE_BUILD_TYPE=Release
    logged "$work/kernels.log" cmake --build "$work/kernels" -j "$JOBS" --target luq-kernel-bench luq-product-bench
    mkdir -p "$directory"
    cp -P "$work"/llama/bin/libggml*.so* "$work"/kernels/luq-{kernel,product}-bench "$directory"
}

# Builds and runs the kernels' test, with the compiler's checks of addresses and undefined behaviour if asked for.
test_kernels() {
    local variant=$1 sanitize=$2 work build
    with_lock
    fetch_source
    work=$(work_dir "$variant")
    build=$work/kernels-test-$sanitize
    build_llama "$variant" "$work" ggml
    configure_kernels "$work" "$build" -DCMAKE_BUILD_TYPE=Release -DLUQ_SANITIZE="$sanitize"
    logged "$build/compile.log" cmake --build "$build" -j "$JOBS" --target luq-kernel-test
    LD_LIBRARY_PATH=$work/llama/bin "$build/luq-kernel-test"
}

configure_kernels() {
    local work=$1 build=$2
    shift 2
    configure "$NATIVE_DIR/kernels" "$build" -DLLAMA_SOURCE="$work/llama.cpp" -DLLAMA_LIBRARIES="$work/llama/bin" "$@"
}
