# Makes a variant and has every server serve it: the arguments are the command without --name.
# The server's name stands for all pods that are ready; those that start later read from the volume what is served.
# shellcheck shell=bash
set -euo pipefail

variant=$LUQ_VARIANT
# One a day, so that a pod that is started again goes on with what its predecessor began.
[ -z "${LUQ_VARIANT_EACH_DAY:-}" ] || variant=$variant-$(date -u +%Y%m%d)

"$@" --name "$variant"

[ -n "${LUQ_SERVERS:-}" ] || exit 0

# activate ADDRESS: prints the answer's status line, and its body when it is a refusal.
activate() {
    local body="{\"variant\":\"$variant\",\"swap\":\"$LUQ_SWAP\"}" status line
    exec 3<> "/dev/tcp/$1/$LUQ_SERVER_PORT" || return 1
    printf 'POST /admin/v1/models/%s/activation HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n' \
        "$LUQ_MODEL_ID" "$LUQ_SERVERS" "$LUQ_API_KEY" >&3
    printf 'Content-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s' "${#body}" "$body" >&3
    IFS= read -r -t "${LUQ_ACTIVATION_SECONDS:-1200}" status <&3 || status=
    status=${status%$'\r'}
    if [[ $status != *" 200 "* ]]; then
        echo "$1: ${status:-no answer}" >&2
        while IFS= read -r -t 5 line || [ -n "$line" ]; do
            printf '%s\n' "${line%$'\r'}" >&2
        done <&3
        exec 3>&-
        return 1
    fi
    exec 3>&-
    echo "$1: serves $variant"
}

addresses=()
while read -r address kind _; do
    [ "$kind" != STREAM ] || addresses+=("$address")
done < <(getent ahosts "$LUQ_SERVERS")
if [ ${#addresses[@]} -eq 0 ]; then
    echo "no server is ready at $LUQ_SERVERS; the variant is made, and is served when somebody activates it" >&2
    exit 1
fi
failed=0
for address in "${addresses[@]}"; do
    activate "$address" || failed=1
done
exit $failed
