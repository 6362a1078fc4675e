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

# The benchmarks of our kernels, beside the libraries that they compare with.
build_kernel_bench() {
    local variant=$1 directory=$2 work
    with_lock
    fetch_source
    work=$(work_dir "$variant")
    build_llama "$variant" "$work" ggml llama mtmd llama-common
    build_shim "$variant" "$work" luq-kernel-bench luq-product-bench
    mkdir -p "$directory"
    cp -P "$work"/llama/bin/libggml*.so* "$work"/luq/kernels/luq-{kernel,product}-bench "$directory"
}

# Builds and runs the test of our kernels, with the compiler's checks of addresses and undefined behaviour if sanitize is
# ON.
test_kernels() {
    local variant=$1 sanitize=$2 work program emulator=()
    with_lock
    fetch_source
    work=$(work_dir "$variant")
    build_llama "$variant" "$work" ggml
    if [ "$sanitize" = ON ]; then
        configure_own "$variant" "$work" "$work/sanitized" kernels -DLUQ_SANITIZE=ON
        logged "$work/sanitized.log" cmake --build "$work/sanitized" -j "$JOBS" --target luq-kernel-test
        program=$work/sanitized/luq-kernel-test
    else
        build_shim "$variant" "$work" luq-kernel-test
        program=$work/luq/kernels/luq-kernel-test
    fi
    export LD_LIBRARY_PATH=$work/llama/bin
    if is_cross "$variant"; then
        emulator=("$(qemu "$variant")" -L "/usr/$variant-linux-gnu")
        export ASAN_OPTIONS=detect_leaks=0 # which needs ptrace; QEMU has none
    fi
    "${emulator[@]}" "$program"
    "${emulator[@]}" "$program" compact
    "${emulator[@]}" "$program" trials
}
