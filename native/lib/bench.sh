# llama-bench of the same patched source, outside the normal build: the yardstick for our overhead. Sourced by ../build.
# shellcheck shell=bash

build_llama_bench() {
    local variant=$1 directory=$2 work flags
    with_lock
    fetch_source
    work=$(work_dir "$variant")-bench
    check_out_source "$work/llama.cpp"
    read -ra flags <<< "$(variant_flags "$variant")"
    say "compiling llama-bench: minutes the first time"
    configure "$work/llama.cpp" "$work/llama" "${CMAKE_FLAGS[@]}" -DLLAMA_BUILD_TOOLS=ON "${flags[@]}"
    logged "$work/compile.log" cmake --build "$work/llama" -j "$JOBS" --target llama-bench
    mkdir -p "$directory"
    cp -P "$work"/llama/bin/*.so* "$work/llama/bin/llama-bench" "$directory"
    echo "$(cd "$directory" && pwd)/llama-bench"
}
