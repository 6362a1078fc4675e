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

# What the stock tools are compiled with beside CMAKE_FLAGS: the web page of llama-server is left out, since its build
# downloads it.
STOCK_FLAGS=(-DLLAMA_BUILD_SERVER=ON -DLLAMA_USE_PREBUILT_UI=OFF)
STOCK_ENCODER=$NATIVE_DIR/../bench/src/main/cpp/stock_encoder.cpp

# llama-server and a clock for image encoding, both of the source as upstream has it: what others run. The file "key" in
# the directory says what they were made from.
build_stock_tools() {
    local variant=$1 directory=$2 work key bin part
    key=$(stock_tools_key "$variant")
    if [ "$(cat "$directory/key" 2> /dev/null)" != "$key" ]; then
        [ -e "$directory/key" ] || [ -z "$(ls -A "$directory" 2> /dev/null)" ] \
            || fail "--stock-tools replaces all of $directory, which has other files: give a folder that is empty or new"
        work=$(work_dir "$variant" "stock-$variant")
        with_lock
        fetch_source
        with_lock "$(basename "$work").lock" # minutes in which other builds need not wait
        say "compiling llama-server without our patches: minutes the first time"
        check_out_source "$work/llama.cpp"
        compile_llama "$variant" "$work" llama-server mtmd "${STOCK_FLAGS[@]}"
        bin=$work/llama/bin
        logged "$work/encoder.log" "$CXX" -std=c++17 -O2 -I "$work/llama.cpp/include" -I "$work/llama.cpp/ggml/include" \
            -I "$work/llama.cpp/tools/mtmd" "$STOCK_ENCODER" -o "$bin/stock-encoder" \
            -L "$bin" -lmtmd -lllama -lggml -lggml-base -Wl,-rpath,'$ORIGIN'
        # As a whole: what an interruption left would be taken for files of others.
        part=${directory%/}.part
        rm -rf "$part"
        mkdir -p "$part"
        cp -P "$bin"/*.so* "$bin/llama-server" "$bin/stock-encoder" "$part"
        echo "$key" > "$part/key"
        rm -rf "$directory"
        mv "$part" "$directory"
    fi
    (cd "$directory" && pwd)
}

stock_tools_key() {
    local variant=$1
    {
        echo "$variant $ARCH $LLAMA_TREE $(compiler) ${CFLAGS:-} ${CXXFLAGS:-} ${LDFLAGS:-}"
        echo "${CMAKE_FLAGS[*]} ${STOCK_FLAGS[*]} $(variant_flags "$variant")"
        ! is_for_this_cpu "$variant" || cpu_flags
        cat "$STOCK_ENCODER"
    } | sha256sum | cut -c 1-32
}

# Builds and runs the tests of our kernels and of our search for blocks, with the compiler's checks of addresses and
# undefined behaviour if sanitize is ON.
test_kernels() {
    local variant=$1 sanitize=$2 work kernels quantize program runner=()
    # Memory that is not to be had is a null pointer, as without the checks.
    export ASAN_OPTIONS=allocator_may_return_null=1
    if is_cross; then
        program=$(emulator)
        runner=("$program" -L "/usr/$ARCH-linux-gnu")
        ASAN_OPTIONS+=:detect_leaks=0 # which needs ptrace; QEMU has none
    fi
    with_lock
    fetch_source
    work=$(work_dir "$variant")
    build_llama "$variant" "$work" ggml
    if [ "$sanitize" = ON ]; then
        kernels=$work/sanitized quantize=$work/sanitized-quantize
        build_sanitized "$variant" "$work" "$kernels" kernels luq-kernel-test
        build_sanitized "$variant" "$work" "$quantize" quantize luq-quantize-test
    else
        kernels=$work/luq/kernels quantize=$work/luq/quantize
        build_shim "$variant" "$work" luq-kernel-test luq-quantize-test
    fi
    export LD_LIBRARY_PATH=$work/llama/bin
    "${runner[@]}" "$kernels/luq-kernel-test"
    "${runner[@]}" "$kernels/luq-kernel-test" compact
    "${runner[@]}" "$kernels/luq-kernel-test" trials
    "${runner[@]}" "$quantize/luq-quantize-test"
}

# Compiles a target of one of our own projects into a directory, with the compiler's checks.
build_sanitized() {
    local variant=$1 work=$2 build=$3 project=$4 target=$5
    configure_own "$variant" "$work" "$build" "$project" -DLUQ_SANITIZE=ON
    logged "$build.log" cmake --build "$build" -j "$JOBS" --target "$target"
}
