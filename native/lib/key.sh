# The content key of a build: same key, same jar. Sourced by ../build.
# shellcheck shell=bash

# The instruction sets that the compiler sees with -march=native. A jar made for this machine's CPU must not be
# picked up by another one that shares the cache.
cpu_flags() {
    # To its end the list of many processors is longer than a pipe: sed ends by itself.
    sed -n -E '/^(flags|Features)[[:space:]]*: /{s///p;q}' /proc/cpuinfo | tr ' ' '\n' | sort -u | tr '\n' ' '
}

# Whether a variant runs on this machine's CPU alone, or on any that has what it has.
is_for_this_cpu() { [ "$1" != all ] && ! is_cross; }

# A line; of C's compiler too, unless it is the same version of the same one.
compiler() {
    local cxx cc
    cxx=$("$CXX" --version | head -n 1)
    cc=$("$CC" --version | head -n 1)
    [ "${cc#* }" = "${cxx#* }" ] || cxx+=", $cc"
    echo "$cxx"
}

# Checksums of these files of native/, but for the tests and benchmarks, of which nothing is in the jar.
checksums() {
    (cd "$NATIVE_DIR" && LC_ALL=C find "$@" -type f -not -path '*/tests/*' -not -path 'kernels/bench/*' -print0 \
        | LC_ALL=C sort -z | xargs -0 sha256sum)
}

# Of the code that computes what a model says. Measurements that another one made are not to be compared with.
arithmetic() {
    {
        echo "$LLAMA_TREE"
        checksums kernels patches shim
    } | sha256sum | cut -c 1-32
}

inputs_key() {
    local variant=$1
    {
        echo "$variant $ARCH $LLAMA_TREE $(compiler) ${CFLAGS:-} ${CXXFLAGS:-} ${LDFLAGS:-}"
        ! is_for_this_cpu "$variant" || cpu_flags
        checksums build kernels lib patches quantize shim src pom.xml NOTICES.md
    } | sha256sum | cut -c 1-32
}
