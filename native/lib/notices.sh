# The licence texts of everything that the jar carries, taken from the source that was built: NOTICES.md is the index.
# Sourced by ../build.
# shellcheck shell=bash

write_notices() {
    local source=$1 notices=$2
    {
        echo "luq-native.jar carries the following third-party software, in source or binary form."
        echo
        notice "llama.cpp and ggml" cat "$source/LICENSE"
        notice "llamafile sgemm (part of ggml)" excerpt "$source/ggml/src/ggml-cpu/llamafile/sgemm.cpp" "Copyright" "^$"
        notice "YaRN (part of ggml)" excerpt "$source/ggml/src/ggml-cpu/ops.cpp" "YaRN algorithm" "Copyright"
        notice "nlohmann/json" cat "$source/licenses/LICENSE-jsonhpp"
        notice "cpp-httplib" cat "$source/vendor/cpp-httplib/LICENSE"
        notice "stb_image" excerpt "$source/vendor/stb/stb_image.h" "^This software is available under 2 licenses" "^.\/"
        notice "miniaudio" excerpt "$source/vendor/miniaudio/miniaudio.h" "^This software is available as a choice" "^.\/"
        notice "sheredom/subprocess.h" excerpt "$source/vendor/sheredom/subprocess.h" "This is free and unencumbered" "unlicense"
        notice "sha256" cat "$source/vendor/hash/sha256/LICENSE"
        notice "sha1" excerpt "$source/vendor/hash/sha1/sha1.c" "^SHA-1 in C" "Public Domain"
        notice "xxHash" cat "$source/vendor/hash/xxhash/LICENSE"
        notice "rotate-bits" cat "$source/vendor/hash/rotate-bits/LICENSE.md"
    } > "$notices"
}

# notice TITLE COMMAND...: the title and what the command prints, which must be something.
notice() {
    local title=$1 text
    shift
    text=$("$@") && [ -n "$text" ] || fail "no licence text found for $title: see lib/notices.sh"
    printf '%s\n%s\n\n%s\n\n\n' "$title" "${title//?/=}" "$text"
}

# The part of a file between two patterns, both lines included.
excerpt() {
    awk -v from="$2" -v to="$3" '$0 ~ from { on = 1 } on { print } on && $0 ~ to { exit }' "$1"
}
