# What must be installed. Sourced by ../build.
# shellcheck shell=bash

# Debian packages of missing tools, one per line.
missing_packages() {
    local variant=$1 target='' pair
    if is_cross "$variant"; then
        target=-$variant-linux-gnu
        qemu "$variant" > /dev/null || echo qemu-user
    fi
    for pair in cmake:cmake ninja:ninja-build "$CXX:g++$target" "$CC:gcc$target" git:git npm:npm strip:binutils \
        mvn:maven javac:default-jdk-headless flock:util-linux; do
        command -v "${pair%%:*}" > /dev/null || echo "${pair#*:}"
    done
}

# QEMU's user mode for an architecture, whichever Debian package it came with.
qemu() {
    command -v "qemu-$1" || command -v "qemu-$1-static"
}

require_tools() {
    local variant=$1 missing
    missing=$(missing_packages "$variant" | tr '\n' ' ')
    if [ -n "$missing" ] && [ "$missing" = "npm " ] && source_is_cached; then
        return # npm only carries the source
    fi
    [ -z "$missing" ] || fail "missing tools. On Debian or Ubuntu: apt-get install --no-install-recommends $missing"
}
