# Pinned upstream, cache locations and messages. Sourced by ../build.
# shellcheck shell=bash

LLAMA_VERSION=v0.5.0
# The git tree of that version: whatever the source came from, only this tree is ever checked out.
LLAMA_TREE=fd570ef54b10ec5fecb739e7e04c8ce44a6f415a

CACHE=${LUQ_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/luq}/native

# How many compilers have room: PROCESSORS of the machine, or what the control groups around this process leave of them and
# of the memory. A compiler takes up to 1.5 GiB. ROOT is where /proc and /sys are.
parallel_jobs() {
    local jobs=$1 root=${2:-} kib controllers path folder quota period bytes file
    kib=$(awk '/^MemAvailable:/ { print $2 }' "$root/proc/meminfo")
    kib=${kib:-$((jobs * 1536 * 1024))}
    while IFS=: read -r _ controllers path; do
        while :; do
            folder=$root/sys/fs/cgroup/$controllers$path quota=max period=1
            if [ -r "$folder/cpu.max" ]; then
                read -r quota period < "$folder/cpu.max"
            elif [ -r "$folder/cpu.cfs_quota_us" ]; then
                read -r quota < "$folder/cpu.cfs_quota_us"
                read -r period < "$folder/cpu.cfs_period_us"
            fi
            [[ $quota = *[!0-9]* ]] || jobs=$((quota < jobs * period ? (quota + period - 1) / period : jobs))
            for file in memory.max memory.limit_in_bytes; do
                [ -r "$folder/$file" ] || continue
                read -r bytes < "$folder/$file"
                [[ $bytes = *[!0-9]* ]] || kib=$((bytes / 1024 < kib ? bytes / 1024 : kib))
            done
            [ -n "$path" ] || break
            path=${path%/*}
        done
    done < <(cat "$root/proc/self/cgroup" 2> /dev/null)
    jobs=$((kib / (1536 * 1024) < jobs ? kib / (1536 * 1024) : jobs))
    echo $((jobs > 1 ? jobs : 1))
}

JOBS=${JOBS:-$(parallel_jobs "$(nproc)")}
# The architecture that is built for.
ARCH=$(uname -m)
CC=${CC:-gcc}
CXX=${CXX:-g++}
STRIP='strip'

# Whether it is another one than this machine's.
is_cross() { [ "$ARCH" != "$(uname -m)" ]; }

say() { printf 'native: %s\n' "$*" >&2; }

fail() {
    printf 'native: %s\n' "$*" >&2
    exit 1
}

# Compilers and CMake split flags, which name folders of the cache, at spaces.
[[ $CACHE != *[[:space:]]* ]] || fail "the path of the cache has a space: $CACHE. Set LUQ_CACHE to a folder without one."

# Runs a command with its output in a log file; on failure shows the end of the log and where the rest is.
logged() {
    local log=$1
    shift
    mkdir -p "$(dirname "$log")"
    if ! "$@" > "$log" 2>&1; then
        tail -n 30 "$log" >&2
        ! grep -qw Killed "$log" || say "the system ended a compiler, as it does where memory runs out: set JOBS to fewer than $JOBS"
        fail "'$(basename "$1")' failed; its last lines are above, all of them in $log"
    fi
}

# One build at a time in a cache, or of what is named; a second one waits and then finds what the first one made. Takes
# the place of the lock before.
with_lock() {
    mkdir -p "$CACHE"
    exec 9> "$CACHE/${1:-lock}"
    if ! flock -n 9; then
        say "another build is running, waiting for it"
        flock 9
    fi
}
