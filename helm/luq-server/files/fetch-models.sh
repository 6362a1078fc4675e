# Fetches model files: FILE URL SHA256 HEADER-FILE ..., where an empty HEADER-FILE sends no header of its own.
# What is there is left alone, and what was begun goes on. Pods that share the volume fetch a file one after the other.
# shellcheck shell=sh
set -eu

has_sum() {
    [ -f "$1" ] && [ "$(sha256sum "$1" | cut -d ' ' -f 1)" = "$2" ]
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

fetch() {
    file=$1 url=$2 sum=$3 header=$4
    mkdir -p "$(dirname "$file")"
    exec 9> "$file.lock"
    flock 9
    if [ -f "$file" ] && [ "$(cat "$file.sha256" 2> /dev/null)" = "$sum" ]; then
        echo "$file: is there"
        return
    fi
    attempt=0
    until has_sum "$file.part" "$sum"; do
        attempt=$((attempt + 1))
        if [ $attempt -gt "${LUQ_FETCH_ATTEMPTS:-5}" ]; then
            echo "$file: could not be fetched; what there is of it is kept for the next start" >&2
            exit 1
        fi
        [ $attempt -eq 1 ] || sleep "${LUQ_FETCH_PAUSE:-10}"
        code=0
        status=$(download "$url" "$header" "$file.part") || code=$?
        if [ $code -eq 33 ] || [ "$status" = 416 ]; then
            # The source knows no ranges, or has fewer bytes than there are: from the start.
            rm -f "$file.part"
        elif [ $code -eq 0 ] && ! has_sum "$file.part" "$sum"; then
            rm -f "$file.part"
            echo "$file: what came has another SHA-256 than $sum; compare models[].source.files with the source" >&2
            exit 1
        fi
    done
    mv "$file.part" "$file"
    echo "$sum" > "$file.sha256"
    echo "$file: fetched"
}

while [ $# -gt 0 ]; do
    fetch "$1" "$2" "$3" "$4"
    shift 4
done
