# What must be installed. Sourced by ../build.
# shellcheck shell=bash

# Debian packages of missing tools, one per line.
missing_packages() {
    local target='' pair
    ! is_cross || target=-${ARCH//_/-}-linux-gnu
    for pair in cmake:cmake ninja:ninja-build "$CXX:g++$target" "$CC:gcc$target" git:git npm:npm "$STRIP:binutils$target" \
        mvn:maven "${JAVA_HOME:+$JAVA_HOME/bin/}javac:default-jdk-headless" flock:util-linux; do
        command -v "${pair%:*}" > /dev/null || echo "${pair##*:}"
    done
}

# The kernels are compiled for AVX-VNNI and AMX, and ask the compiler's library for them: older versions and Clang end
# with an error, minutes later.
require_gcc() {
    local compiler version
    for compiler in "$CC" "$CXX"; do
        version=$("$compiler" -E -P -x c - <<< $'#ifndef __clang__\n__GNUC__\n#endif' | tr -d '[:space:]') || true
        [[ $version =~ ^[0-9]+$ ]] && [ "$version" -ge 11 ] \
            || fail "GCC 11 or later is needed, not '$("$compiler" --version | head -n 1)'. Set CC and CXX to another one."
    done
}

# QEMU's user mode for what is built for, whichever Debian package it came with.
emulator() {
    command -v "qemu-$ARCH" || command -v "qemu-$ARCH-static" \
        || fail "QEMU is missing. On Debian or Ubuntu: apt-get install --no-install-recommends qemu-user"
}

require_tools() {
    local missing
    missing=$(missing_packages | tr '\n' ' ')
    if [ "$missing" = "npm " ] && source_is_cached; then
        missing='' # npm only carries the source
    fi
    [ -z "$missing" ] || fail "missing tools. On Debian or Ubuntu: apt-get install --no-install-recommends $missing"
    require_gcc
}
