# Packs libraries and bindings into luq-native.jar and installs it. Sourced by ../build.
# shellcheck shell=bash

# JavaCPP's name of what is built for.
java_platform() {
    case $ARCH in
        x86_64) echo linux-x86_64 ;;
        aarch64) echo linux-arm64 ;;
        *) fail "no bindings for the architecture $ARCH: x86_64 and aarch64 are supported" ;;
    esac
}

maven() {
    mvn -q -B -ntp -f "$NATIVE_DIR/pom.xml" "$@"
}

build_jar() {
    local variant=$1 key=$2 jar=$3 work platform
    work=$(work_dir "$variant")
    platform=$(java_platform)
    say "building the Java bindings"
    rm -rf "$work/resources" "$work/link" "$work/generated" "$work/maven"
    mkdir -p "$work/link" "$work/resources/dev/luq/preset/$platform" "$work/resources/META-INF"
    cp "$work"/lib/* "$work/resources/dev/luq/preset/$platform"
    cp -P "$work"/llama/bin/*.so* "$work"/luq/*.so "$work/link"
    write_notices "$work/llama.cpp" "$work/resources/META-INF/THIRD-PARTY-NOTICES"
    cp "$NATIVE_DIR/NOTICES.md" "$work/resources/META-INF/NOTICES.md"
    write_properties "$variant" "$key" "$work/lib" > "$work/resources/META-INF/luq-native.properties"
    logged "$work/maven.log" maven package -Dluq.work="$work" -Dluq.cxx="$CXX" -Djavacpp.properties="$platform"
    mkdir -p "$(dirname "$jar")"
    cp "$work/maven/luq-native.jar" "$jar.part"
    mv "$jar.part" "$jar"
}

write_properties() {
    local variant=$1 key=$2 libraries=$3 flags=any
    ! is_for_this_cpu "$variant" || flags=$(cpu_flags)
    cat << PROPERTIES
key=$key
variant=$variant
llama.version=$LLAMA_VERSION
llama.tree=$LLAMA_TREE
arithmetic=$(arithmetic)
compiler=$(compiler)
cpu.flags=${flags% }
backends=$(cd "$libraries" && find . -name 'libggml-cpu-*.so*' -printf '%f,' | sed 's/,$//')
PROPERTIES
}

# Where Maven keeps the jar: as told on its command line, in its settings, or by default.
installed_jar() {
    local repository
    repository=$(sed -n -E 's/.*-Dmaven\.repo\.local=([^ ]+).*/\1/p' <<< "${MAVEN_OPTS:-} ${MAVEN_ARGS:-}")
    if [ -z "$repository" ] && [ -f "$HOME/.m2/settings.xml" ]; then
        # Maven's own settings have an example of it in a comment.
        repository=$(tr '\n' ' ' < "$HOME/.m2/settings.xml" | sed -E 's/<!--/\n&/g; s/-->/&\n/g' | sed '/^<!--/d' \
            | sed -n -E 's|.*<localRepository>[[:space:]]*([^<]*[^<[:space:]])[[:space:]]*</localRepository>.*|\1|p')
        repository=${repository//'${user.home}'/$HOME}
    fi
    echo "${repository:-$HOME/.m2/repository}/dev/luq/luq-native/0.1.0-SNAPSHOT/luq-native-0.1.0-SNAPSHOT.jar"
}

install_jar() {
    local jar=$1
    if ! cmp -s "$jar" "$(installed_jar)"; then
        logged "$CACHE/install.log" maven org.apache.maven.plugins:maven-install-plugin:3.1.4:install-file \
            -Dfile="$jar" -DpomFile="$NATIVE_DIR/pom.xml"
    fi
    note_bindings
}

# Of what Java is compiled against: the interfaces of the shim and of llama.cpp.
bindings_key() {
    {
        echo "$LLAMA_TREE"
        (cd "$NATIVE_DIR" && LC_ALL=C find shim src pom.xml -type f -not -name '*.cpp' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum)
    } | sha256sum | cut -c 1-32
}

# Beside the installed jar, of which interface it is.
note_bindings() { bindings_key > "$(installed_jar).bindings"; }

# Whether Java compiles against the installed jar, which may be an older build.
has_bindings() {
    local jar
    jar=$(installed_jar)
    [ -f "$jar" ] && [ "$(cat "$jar.bindings" 2> /dev/null)" = "$(bindings_key)" ]
}
