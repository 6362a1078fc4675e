# llama-bench with the very libraries of a variant, outside the normal build: the yardstick for our overhead. Sourced by
# ../build.
# shellcheck shell=bash

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
