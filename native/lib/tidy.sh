# clang-tidy for our C++, with the options that CMake compiles it with. Sourced by ../build.
# shellcheck shell=bash

# Runs a clang-tidy over each source file that this machine's architecture has. Nothing is compiled: of llama.cpp this
# takes the source, not the libraries.
tidy() {
    local variant=$1 program=$2 work project
    with_lock
    fetch_source
    work=$(work_dir "$variant")
    check_out_patched_source "$work/llama.cpp"
    for project in shim fuzz; do
        configure "$variant" "$NATIVE_DIR/$project" "$work/tidy/$project" -DCMAKE_EXPORT_COMPILE_COMMANDS=ON \
            -DLLAMA_SOURCE="$work/llama.cpp"
    done
    # The fuzz targets compile the shim too, so each project names the folders that it is asked for.
    {
        compiled_files "$work/tidy/shim" shim kernels quantize
        compiled_files "$work/tidy/fuzz" fuzz
    } | xargs -0 -n 2 -P "$JOBS" "$program" --quiet -p \
        || fail "clang-tidy found what is above; native/.clang-tidy names what is looked for, and the exceptions"
}

# For each file of these folders that a configured project compiles: the project, then the file, each ended by a zero byte.
compiled_files() {
    local build=$1 folder
    shift
    for folder in "$@"; do
        sed -n -E "s|^ *\"file\": \"($NATIVE_DIR/$folder/.*)\",?\$|$build\n\1|p" "$build/compile_commands.json" | tr '\n' '\0'
    done
}
