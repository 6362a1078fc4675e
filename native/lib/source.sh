# Where llama.cpp comes from. Everything is fetched into one bare repository in the cache; the build only ever checks
# out the pinned tree, which git names by the hash of its content, so a source that differs cannot be built.
# Sourced by ../build.
# shellcheck shell=bash

SOURCE_REPO=$CACHE/llama.cpp.git
UPSTREAM=https://github.com/ggml-org/llama.cpp
NPM_CARRIER=node-llama-cpp@3.22.1
NPM_BUNDLE=package/llama/gitRelease.bundle

source_git() {
    git --git-dir="$SOURCE_REPO" -c core.autocrlf=false -c gc.auto=0 -c advice.detachedHead=false "$@"
}

source_is_cached() {
    [ -d "$SOURCE_REPO" ] && source_git cat-file -e "$LLAMA_TREE^{tree}" 2> /dev/null
}

fetch_source() {
    source_git rev-parse --git-dir > /dev/null 2>&1 || git init -q --bare "$SOURCE_REPO"
    if [ -n "${LUQ_LLAMA_SOURCE:-}" ]; then
        source_from_directory "$LUQ_LLAMA_SOURCE"
        return
    fi
    source_is_cached && return
    say "getting the source of llama.cpp $LLAMA_VERSION"
    source_from_upstream || source_from_npm || fail "no source of llama.cpp $LLAMA_VERSION. Neither $UPSTREAM nor the \
npm package $NPM_CARRIER gave it (see the messages above). Check the network and the npm registry setting, or set \
LUQ_LLAMA_SOURCE to a directory that holds it."
}

# A git work tree (its HEAD counts) or a plain directory, such as an unpacked archive.
source_from_directory() {
    local directory=$1 tree
    [ -f "$directory/CMakeLists.txt" ] || fail "LUQ_LLAMA_SOURCE: there is no llama.cpp source in $directory"
    if [ -e "$directory/.git" ]; then
        source_git fetch -q --depth 1 "file://$(cd "$directory" && pwd)" HEAD \
            || fail "LUQ_LLAMA_SOURCE: git cannot read $directory (see above)"
        tree=$(source_git rev-parse 'FETCH_HEAD^{tree}')
    else
        tree=$(
            export GIT_INDEX_FILE=$CACHE/directory.index
            rm -f "$GIT_INDEX_FILE" "$GIT_INDEX_FILE.lock"
            source_git --work-tree="$directory" add -A -f . && source_git write-tree
        ) \
            || fail "LUQ_LLAMA_SOURCE: git cannot read $directory (see above)"
    fi
    [ "$tree" = "$LLAMA_TREE" ] || fail "LUQ_LLAMA_SOURCE: $directory has the git tree $tree, needed is $LLAMA_TREE \
(llama.cpp $LLAMA_VERSION, unmodified). Check out that version or unset LUQ_LLAMA_SOURCE."
    keep_source "$tree"
}

# A probe with a short limit first: offline, git would wait for minutes.
source_from_upstream() {
    local tag=refs/tags/$LLAMA_VERSION
    export GIT_TERMINAL_PROMPT=0
    timeout 10 git ls-remote -q "$UPSTREAM" "$tag" > /dev/null 2>&1 || {
        say "upstream git is out of reach"
        return 1
    }
    timeout 300 git --git-dir="$SOURCE_REPO" fetch -q --depth 1 "$UPSTREAM" "$tag" \
        || {
            say "fetching $tag from upstream failed"
            return 1
        }
    accept_fetched "upstream's $tag"
}

source_from_npm() {
    local work=$CACHE/npm
    command -v npm > /dev/null || {
        say "npm is not installed"
        return 1
    }
    rm -rf "$work"
    mkdir -p "$work"
    (cd "$work" && timeout 300 npm pack --loglevel=error --ignore-scripts --fetch-retries=1 \
        --fetch-retry-mintimeout=2000 --fetch-retry-maxtimeout=5000 "$NPM_CARRIER") > "$work/npm.log" 2>&1 \
        || {
            tail -n 5 "$work/npm.log" >&2
            say "npm cannot fetch $NPM_CARRIER"
            return 1
        }
    tar -xzf "$work"/*.tgz -C "$work" "$NPM_BUNDLE" || {
        say "$NPM_CARRIER holds no $NPM_BUNDLE"
        return 1
    }
    source_git fetch -q "$work/$NPM_BUNDLE" HEAD || {
        say "the bundle in $NPM_CARRIER is damaged"
        return 1
    }
    rm -rf "$work"
    accept_fetched "the source in $NPM_CARRIER"
}

accept_fetched() {
    local tree
    tree=$(source_git rev-parse 'FETCH_HEAD^{tree}')
    if [ "$tree" != "$LLAMA_TREE" ]; then
        say "$1 has the git tree $tree, needed is $LLAMA_TREE: not used"
        return 1
    fi
    keep_source "$tree"
}

keep_source() {
    source_git update-ref refs/luq/source "$1"
}

# Puts the source into a directory as upstream has it, with patches. Files that are right already keep their time stamps,
# so that a second build compiles only what changed.
check_out_source() {
    local directory=$1 patch
    shift
    mkdir -p "$directory"
    (
        export GIT_INDEX_FILE=$directory.index
        rm -f "$GIT_INDEX_FILE.lock" # of a build that was killed: this one has the lock of all
        source_git --work-tree="$directory" read-tree "$LLAMA_TREE"
        for patch in "$@"; do
            source_git apply --cached "$patch" \
                || fail "$(basename "$patch") does not apply to llama.cpp $LLAMA_VERSION (see above)"
        done
        source_git --work-tree="$directory" update-index -q --refresh > /dev/null || true
        source_git --work-tree="$directory" checkout-index -q -f -a
        cd "$directory" || exit
        source_git --work-tree=. clean -fdxq
    )
}

# The same with our patches.
check_out_patched_source() {
    check_out_source "$1" "$NATIVE_DIR"/patches/*.patch
}
