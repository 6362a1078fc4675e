# Compiles llama.cpp's libraries and our shim. Sourced by ../build.
# shellcheck shell=bash

# What the variants have in common. Tools are configured, but built only when llama-bench is asked for. MTMD_VIDEO would
# hand images that it cannot decode to an ffmpeg subprocess; OpenMP's barriers sleep, which lets image encoding and
# decoding share the cores.
CMAKE_FLAGS=(
    -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=ON
    -DLLAMA_BUILD_COMMON=ON -DLLAMA_BUILD_MTMD=ON
    -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_TOOLS=ON -DLLAMA_BUILD_SERVER=OFF
    -DLLAMA_BUILD_APP=OFF -DLLAMA_BUILD_UI=OFF -DLLAMA_OPENSSL=OFF -DLLAMA_SUBPROCESS=OFF -DMTMD_VIDEO=OFF
    -DLLAMA_BUILD_IS_DEV=OFF -DGGML_RPC=OFF -DGGML_OPENMP=ON -DGGML_CCACHE=OFF
)

variant_flags() {
    case $1 in
        native)
            if is_cross; then
                cross_flags
            else
                echo -DGGML_NATIVE=ON
            fi
            ;;
        all) echo -DGGML_NATIVE=OFF -DGGML_BACKEND_DL=ON -DGGML_CPU_ALL_VARIANTS=ON ;;
        avx2) echo -DGGML_NATIVE=OFF -DGGML_AVX=ON -DGGML_AVX2=ON -DGGML_FMA=ON -DGGML_F16C=ON -DGGML_BMI2=ON ;;
    esac
}

# What most CPUs of the other architecture have.
cross_flags() {
    case $ARCH in
        aarch64) echo -DGGML_NATIVE=OFF -DGGML_CPU_ARM_ARCH=armv8.2-a+dotprod ;;
        x86_64) variant_flags avx2 ;;
    esac
}

# Sources and objects of a variant live in one directory, so that a change of the shim or of a patch compiles little.
# Another compiler or CPU gets another directory, and so does another name.
work_dir() {
    local variant=$1 name=${2:-$1} tools
    tools=$({
        compiler
        echo "${CFLAGS:-} ${CXXFLAGS:-} ${LDFLAGS:-}"
        ! is_for_this_cpu "$variant" || cpu_flags
    } | sha256sum | cut -c 1-8)
    ! is_cross || name+=-$ARCH
    echo "$CACHE/work-$name-$tools"
}

configure() {
    local variant=$1 source=$2 build=$3
    shift 3
    local options=()
    if command -v ccache > /dev/null; then
        options+=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
    fi
    if is_cross; then
        options+=(-DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR="$ARCH")
    fi
    # Another checkout may have used the cache before.
    grep -qsx "CMAKE_HOME_DIRECTORY:INTERNAL=$source" "$build/CMakeCache.txt" || rm -rf "$build"
    # Paths of this machine have no place in messages and libraries.
    local prefix="-ffile-prefix-map=$source=."
    CC=$CC CXX=$CXX CFLAGS="${CFLAGS:-} $prefix" CXXFLAGS="${CXXFLAGS:-} $prefix" \
        logged "$build/configure.log" cmake -G Ninja -S "$source" -B "$build" "${options[@]}" \
        -DCMAKE_INSTALL_RPATH='$ORIGIN' -DCMAKE_BUILD_WITH_INSTALL_RPATH=ON "$@"
}

# Puts the patched source into $work/llama.cpp and compiles these and the variant's own targets into $work/llama.
build_llama() {
    local variant=$1 work=$2
    shift 2
    check_out_patched_source "$work/llama.cpp"
    compile_llama "$variant" "$work" "$@"
}

# Compiles the source in $work/llama.cpp as it is; a target may have options of CMake (-D...) beside it.
compile_llama() {
    local variant=$1 work=$2 flags argument options=() targets=()
    shift 2
    for argument in "$@"; do
        case $argument in
            -D*) options+=("$argument") ;;
            *) targets+=("$argument") ;;
        esac
    done
    read -ra flags <<< "$(variant_flags "$variant")"
    configure "$variant" "$work/llama.cpp" "$work/llama" "${CMAKE_FLAGS[@]}" "${flags[@]}" "${options[@]}"
    if [ "$variant" = all ]; then
        mapfile -t -O "${#targets[@]}" targets < <(cpu_backend_targets "$work/llama")
    else
        targets+=(ggml-cpu)
    fi
    : > "$work/compile.log"
    tell_progress "$work/compile.log" &
    local teller=$!
    logged "$work/compile.log" cmake --build "$work/llama" -j "$JOBS" --target "${targets[@]}"
    kill "$teller" 2> /dev/null || true
}

# Says each half a minute how many of all steps are done, as ninja counts them in a log, until this build ends.
tell_progress() {
    exec 9>&- # the lock is the build's
    local log=$1 started=$SECONDS done all spent
    while sleep 30 > /dev/null 2>&1 && kill -0 $$ 2> /dev/null; do
        IFS=' /' read -r done all < <(grep -oE '^\[[0-9]+/[0-9]+\]' "$log" | tail -n 1 | tr -d '[]') || continue
        spent=$((SECONDS - started))
        say "$done of $all compiled, about $(((all - done) * spent / done / 60 + 1)) min left"
    done
}

# Makes $2 hold the files of $1. One that is the same is left alone, whatever its time is.
mirror() {
    local from=$1 to=$2 file
    mkdir -p "$to"
    (cd "$from" && find . -type f) | while IFS= read -r file; do
        if ! cmp -s "$from/$file" "$to/$file"; then
            mkdir -p "$(dirname "$to/$file")"
            cp "$from/$file" "$to/$file"
        fi
    done
    (cd "$to" && find . -type f) | while IFS= read -r file; do
        [ -e "$from/$file" ] || rm "$to/$file"
    done
}

# Configures $2 for one of our own projects, such as the shim. It is compiled from a copy: the cache outlives the checkout.
configure_own() {
    local variant=$1 work=$2 build=$3 project=$4 avx2_only=OFF
    shift 4
    [ "$variant" != avx2 ] || avx2_only=ON
    mirror "$NATIVE_DIR/shim" "$work/own/shim"
    mirror "$NATIVE_DIR/kernels" "$work/own/kernels"
    mirror "$NATIVE_DIR/quantize" "$work/own/quantize"
    configure "$variant" "$work/own/$project" "$build" -DCMAKE_BUILD_TYPE=Release \
        -DLLAMA_SOURCE="$work/llama.cpp" -DLLAMA_LIBRARIES="$work/llama/bin" -DLUQ_AVX2_ONLY=$avx2_only "$@"
}

# Compiles targets of our shim and of our kernels, which it holds, against the libraries of build_llama.
build_shim() {
    local variant=$1 work=$2
    shift 2
    configure_own "$variant" "$work" "$work/luq" shim
    logged "$work/luq.log" cmake --build "$work/luq" -j "$JOBS" --target "$@"
}

# Leaves headers in $work/include and stripped libraries in $work/lib.
build_libraries() {
    local variant=$1 work source library
    work=$(work_dir "$variant")
    source=$work/llama.cpp
    say "compiling llama.cpp for variant '$variant' with $JOBS jobs: minutes the first time"
    build_llama "$variant" "$work" ggml llama mtmd llama-common

    build_shim "$variant" "$work" luq

    rm -rf "${work:?}/include" "${work:?}/lib"
    mkdir -p "$work/include" "$work/lib"
    cp "$source"/include/*.h "$source"/ggml/include/*.h "$source"/tools/mtmd/mtmd.h "$source"/tools/mtmd/mtmd-helper.h \
        "$NATIVE_DIR"/shim/luq_shim.h "$work/include"
    for library in "$work"/llama/bin/lib{ggml*,llama,llama-common,mtmd}.so "$work"/luq/libluq.so; do
        "$STRIP" --strip-unneeded -o "$work/lib/$(soname "$library")" "$library"
    done
}

# The name that the loader asks for: libllama.so.0, not the development link libllama.so.
soname() {
    local name
    name=$(readelf -d "$1" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')
    echo "${name:-$(basename "$1")}"
}

cpu_backend_targets() {
    ninja -C "$1" -t targets all | sed -n 's/^\(ggml-cpu-[a-z0-9_.-]*\): phony.*/\1/p' | sort -u
}
