# Asks the Service, as a client would: ready, the models with a key, and nothing without one.
# shellcheck shell=bash
set -u
keys=${LUQ_TEST_KEYS:-/etc/luq/keys/api-keys}

# status PATH [KEY]: prints the HTTP status, or 000 when nobody answers.
status() {
    local version=- code=000 authorization=
    [ $# -lt 2 ] || authorization="Authorization: Bearer $2"$'\r\n'
    if { exec 3<> "/dev/tcp/$LUQ_TEST_HOST/$LUQ_TEST_PORT"; } 2> /dev/null; then
        printf 'GET %s HTTP/1.1\r\nHost: %s\r\n%sConnection: close\r\n\r\n' "$1" "$LUQ_TEST_HOST" "$authorization" >&3
        IFS=' ' read -r -t 30 version code _ <&3 || code=000
        exec 3>&-
    fi
    printf '%s' "${code:-000}"
}

failed=0
expect() {
    if [ "$3" = "$2" ]; then
        echo "ok: $1 is $3"
    else
        echo "FAILED: $1 is $3, not $2"
        failed=1
    fi
}

expect "/q/health/ready" 200 "$(status /q/health/ready)"
if [ -r "$keys" ]; then
    key=
    while IFS= read -r line || [ -n "$line" ]; do
        case $line in
            '' | '#'*) continue ;;
            user:* | admin:*) key=${line#*:} ;;
            *) key=$line ;;
        esac
        # what is said about the key follows it
        key=${key#"${key%%[![:space:]]*}"}
        key=${key%%[[:space:]]*}
        case $key in
            sha256:*) key= ;;
            *) break ;;
        esac
    done < "$keys"
    # a file of digests opens nothing
    [ -z "$key" ] || expect "/v1/models with a key" 200 "$(status /v1/models "$key")"
    expect "/v1/models without a key" 401 "$(status /v1/models)"
else
    expect "/v1/models" 200 "$(status /v1/models)"
fi
exit $failed
