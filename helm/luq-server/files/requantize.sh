# Makes a variant and has every server serve it: the arguments are the command without --name.
# The server's name stands for all pods that are ready; those that start later read from the volume what is served.
# shellcheck shell=bash
set -euo pipefail

variant=$LUQ_VARIANT
# One a day, that for which the CronJob named its Job, in minutes: a pod that is started again on the next one goes on with
# what its predecessor began.
if [ -n "${LUQ_VARIANT_EACH_DAY:-}" ]; then
    day=now
    [[ ! ${LUQ_JOB:-} =~ -requantize-([0-9]{8})$ ]] || day=@$((10#${BASH_REMATCH[1]} * 60))
    variant=$variant-$(date -u -d "$day" +%Y%m%d)
fi

"$@" --name "$variant"

[ -n "${LUQ_SERVERS:-}" ] || exit 0

# admin ADDRESS METHOD PATH [BODY]: prints the answer; a refusal goes to standard error.
admin() {
    local address=$1 answer
    [[ $address != *:* ]] || address="[$address]"
    answer=$(curl --silent --show-error --noproxy '*' --max-time "${LUQ_ACTIVATION_SECONDS:-1200}" \
        --connect-to "::$address:" --header @<(printf 'Authorization: Bearer %s\n' "$LUQ_API_KEY") \
        --header 'Content-Type: application/json' ${4:+--data-raw "$4"} --write-out '\n%{http_code}' \
        --request "$2" "http://$LUQ_SERVERS:$LUQ_SERVER_PORT/admin/v1/$3") || return 1
    if [[ ${answer##*$'\n'} != 2?? ]]; then
        printf '%s: %s %s: %s\n' "$1" "$2" "$3" "$answer" >&2
        return 1
    fi
    printf '%s\n' "${answer%$'\n'*}"
}

# A server that was upgraded with this may still load its models.
addresses=()
waited=0
while true; do
    while read -r address kind _; do
        [ "$kind" != STREAM ] || addresses+=("$address")
    done < <(getent ahosts "$LUQ_SERVERS")
    [ ${#addresses[@]} -eq 0 ] || break
    if [ $waited -ge "${LUQ_START_SECONDS:-0}" ]; then
        echo "no server is ready at $LUQ_SERVERS; the variant is made, and is served when somebody activates it" >&2
        exit 1
    fi
    [ $waited -gt 0 ] || echo "waiting until a server is ready at $LUQ_SERVERS"
    sleep 5
    waited=$((waited + 5))
done
failed=0
for address in "${addresses[@]}"; do
    if admin "$address" POST "models/$LUQ_MODEL_ID/activation" "{\"variant\":\"$variant\",\"swap\":\"$LUQ_SWAP\"}" > /dev/null; then
        echo "$address: serves $variant"
    else
        failed=1
    fi
done
[ $failed -eq 0 ] || exit 1

# Of those of other days the newest stay; servers share them, so one is asked.
if [ -n "${LUQ_VARIANT_EACH_DAY:-}" ] && [ "${LUQ_KEEP_VARIANTS:-0}" -gt 0 ]; then
    made=$(admin "${addresses[0]}" GET variants)
    while read -r old; do
        admin "${addresses[0]}" DELETE "variants/$old"
        echo "$old: removed"
    done < <(grep -oE "\"${LUQ_VARIANT_PREFIX//./\\.}(-[0-9a-f]{6})?-[0-9]{8}\"" <<< "$made" | tr -d '"' \
        | sed -E 's/.*-([0-9]{8})$/\1 &/' | sort -u | head -n "-$LUQ_KEEP_VARIANTS" | cut -d ' ' -f 2)
fi
