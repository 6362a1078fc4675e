# Fetches model files: FILE URL SHA256 HEADER-FILE ..., where an empty HEADER-FILE sends no header of its own.
# What is there is left alone, and what was begun goes on. Pods that share the volume fetch a file one after the other.
# FILE.sha256 is a note of what was verified: the SHA-256, size and time of FILE, or of FILE.part until it is moved there.
# shellcheck shell=sh
set -eu

# has_sum FILE
has_sum() {
    [ -f "$1" ] && [ "$(sha256sum < "$1")" = "$sum  -" ]
}

# note FILE: what is noted of it once it is verified.
note() {
    printf '%s %s\n' "$sum" "$(stat -c '%s %Y' "$1")"
}

# is_noted FILE: whether it is what the note is of.
is_noted() {
    [ -f "$1" ] && [ "$(cat "$file.sha256" 2> /dev/null)" = "$(note "$1")" ]
}

# download URL HEADER-FILE FILE: goes on where FILE ends.
download() {
    case $1 in
        https:*) protocols='=https' ;;
        *) protocols='=http,https' ;;
    esac
    curl --fail --location --proto "$protocols" --proto-redir "$protocols" --silent --show-error \
        --connect-timeout 30 --speed-limit 1024 --speed-time 60 --continue-at - --write-out '%{http_code}' \
        ${2:+--header "@$2"} --output "$3" "$1"
}

# Brings the whole of the file to its part.
download_all() {
    attempt=0
    while :; do
        attempt=$((attempt + 1))
        if [ $attempt -gt "${LUQ_FETCH_ATTEMPTS:-5}" ]; then
            echo "$file: could not be fetched; what there is of it is kept for the next start" >&2
            exit 1
        fi
        [ $attempt -eq 1 ] || sleep "${LUQ_FETCH_PAUSE:-10}"
        code=0
        status=$(download "$url" "$header" "$file.part") || code=$?
        if [ $code -eq 0 ] || [ "$status" = 416 ]; then
            ! has_sum "$file.part" || return 0
            rm -f "$file.part"
            # 416: the source has no more bytes than there were, of a file that was another one: from the start.
            if [ "$status" != 416 ]; then
                echo "$file: what came has another SHA-256 than $sum; compare models[].source.files with the source" >&2
                exit 1
            fi
        elif [ $code -eq 33 ]; then
            # The source knows no ranges: from the start.
            rm -f "$file.part"
        fi
    done
}

fetch() {
    file=$1 url=$2 sum=$3 header=$4
    mkdir -p "$(dirname "$file")"
    exec 9> "$file.lock"
    flock 9
    if is_noted "$file" || { has_sum "$file" && note "$file" > "$file.sha256"; }; then
        echo "$file: is there"
        return
    fi
    if ! is_noted "$file.part"; then
        download_all
        sync "$file.part"
        note "$file.part" > "$file.sha256"
    fi
    mv "$file.part" "$file"
    echo "$file: fetched"
}

while [ $# -gt 0 ]; do
    fetch "$1" "$2" "$3" "$4"
    shift 4
done
