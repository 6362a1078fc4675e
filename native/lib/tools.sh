# What must be installed. Sourced by ../build.
# shellcheck shell=bash

# Debian packages of missing tools, one per line.
missing_packages() {
    local pair
    for pair in cmake:cmake ninja:ninja-build "$CXX:g++" "$CC:gcc" git:git npm:npm strip:binutils \
            mvn:maven javac:default-jdk-headless flock:util-linux; do
        command -v "${pair%%:*}" > /dev/null || echo "${pair#*:}"
    done
}

require_tools() {
    local missing
    missing=$(missing_packages | tr '\n' ' ')
    if [ -n "$missing" ] && [ "$missing" = "npm " ] && source_is_cached; then
        return # npm only carries the source
    fi
    [ -z "$missing" ] || fail "missing tools. On Debian or Ubuntu: apt-get install --no-install-recommends $missing"
}
