package dev.luq.cli;

import static dev.luq.Until.ended;
import static dev.luq.Until.until;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The scripts luq and native/build, as far as they go without building. */
@Integration
class LauncherTest {

    private static final Path LUQ = Path.of("luq").toAbsolutePath();

    @TempDir
    Path directory;

    private record Outcome(int status, String output) {}

    @ParameterizedTest
    @ValueSource(strings = {"luq", ".ci/run", "native/build"})
    void scriptsAreValidBash(String script) throws Exception {
        assertEquals(new Outcome(0, ""), run(List.of("bash", "-n", script), Map.of()));
        assertTrue(Files.isExecutable(Path.of(script)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"help", "--help"})
    void helpNamesEveryCommand(String argument) throws Exception {
        Outcome help = luq(argument);
        assertEquals(0, help.status());
        for (String command : List.of(
                "serve", "chat", "requantize", "plan", "eval", "export", "test", "check", "fuzz", "doctor", "bench")) {
            assertTrue(help.output().contains("\n  " + command), command);
        }
    }

    @Test
    void worksThroughALinkFromAnywhere() throws Exception {
        Path link = Files.createSymbolicLink(directory.resolve("my luq"), LUQ);
        Process process = new ProcessBuilder(link.toString(), "doctor")
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .start();
        assertTrue(finish(process).output().contains("native build"));
    }

    @Test
    void doctorDescribesThisMachine() throws Exception {
        Outcome doctor = luq("doctor");
        assertEquals(0, doctor.status(), doctor.output());
        for (String row : List.of("machine", "memory", "CPU features", "Java", "Maven", "tools")) {
            assertTrue(doctor.output().lines().anyMatch(line -> line.startsWith(row + " ")), row);
        }
    }

    @Test
    void saysWhatIsWrongWithTheCommandLine() throws Exception {
        assertRefused(2, "there is no command sreve", "sreve");
        assertRefused(1, "serve has no option --moddel", "serve", "--moddel", "x.gguf");
        assertRefused(1, "--port needs a value", "serve", "--port");
        assertRefused(1, "--port needs a number", "serve", "--port", "http");
        assertRefused(1, "--port needs a number from 1 to 65535", "serve", "--port", "99999");
        assertRefused(1, "--port needs a number from 1 to 65535", "serve", "--port", "0");
        assertRefused(1, "there is no file nowhere.gguf", "serve", "--model", "nowhere.gguf");
    }

    @Test
    void saysThatAPortIsTakenBeforeItBuildsAnything() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 8, InetAddress.getLoopbackAddress())) {
            String port = String.valueOf(taken.getLocalPort());
            String message = "luq: port " + port
                    + " is taken: end the server that listens there, or choose another one with" + " --port\n";
            assertEquals(new Outcome(1, message), luq("serve", "--port", port));
            assertEquals(new Outcome(1, message), luq("serve", "--host", "0.0.0.0", "--port", port));
            assertEquals(new Outcome(1, message), luq("serve", "-Dquarkus.http.port=" + port), "the server's own name");
        }
    }

    /** Quarkus would record the settings that it sees while it builds, for every later start anywhere. */
    @Test
    void theBuildSeesNoSettingOfTheUserAndTheServerSeesThemAll() throws Exception {
        Path project = directory.resolve("the project");
        Path tools = directory.resolve("tools");
        String report = "{ pwd; ls -A; env; } > '" + directory + "'/";
        project(
                report + "build; mkdir -p '" + project + "'/target/quarkus-app; touch '" + project
                        + "'/target/quarkus-app/quarkus-run.jar",
                report + "server; printf '%s\\n' \"$@\" > '" + directory + "/options'");
        Files.writeString(project.resolve(".env"), "LUQ_MODEL=of-the-project");
        Path user = Files.createDirectories(directory.resolve("user"));
        Files.createDirectories(user.resolve("config"));
        Files.writeString(
                user.resolve("config/application.properties"), "luq.model=of-the-user\nquarkus.http.host=127.0.0.2\n");
        Files.writeString(user.resolve(".env"), "LUQ_DEMO_DIR=of-the-file\nQUARKUS_HTTP_HOST = 127.0.0.3\n");
        ProcessBuilder builder = new ProcessBuilder(project.resolve("luq").toString(), "serve", "--port", "1")
                .directory(user.toFile())
                .redirectErrorStream(true);
        builder.environment()
                .putAll(Map.of(
                        "PATH",
                        tools.resolve("bin") + ":" + System.getenv("PATH"),
                        "JAVA_HOME",
                        tools.toString(),
                        "LUQ_MODEL",
                        "m.gguf",
                        "LUQ_API_KEYS",
                        "secret",
                        "QUARKUS_HTTP_PORT",
                        "1",
                        "SMALLRYE_CONFIG_LOCATIONS",
                        "/x",
                        "_QUARKUS_PROFILE",
                        "p",
                        "LC_ALL",
                        "C",
                        "MAVEN_OPTS",
                        "-Xmx1g",
                        "HTTPS_PROXY",
                        "http://p"));
        Outcome outcome = finish(builder.start());
        assertEquals(0, outcome.status(), outcome.output());

        List<String> build = Files.readAllLines(directory.resolve("build"));
        assertEquals(project.resolve("target/luq/build").toString(), build.get(0));
        assertFalse(build.contains("config") || build.contains(".env"), build.toString());
        assertTrue(
                build.stream().noneMatch(line -> line.matches("(?!LUQ_(NATIVE|LLAMA)_)_?(LUQ|QUARKUS|SMALLRYE)_.*")),
                build.toString());
        assertTrue(build.containsAll(List.of("MAVEN_OPTS=-Xmx1g", "HTTPS_PROXY=http://p")), build.toString());
        List<String> server = Files.readAllLines(directory.resolve("server"));
        assertEquals(user.toString(), server.get(0));
        assertTrue(
                server.containsAll(List.of("config", "LUQ_MODEL=m.gguf", "QUARKUS_HTTP_PORT=1", "LC_ALL=C.UTF-8")),
                server.toString());
        List<String> options = Files.readAllLines(directory.resolve("options"));
        assertTrue(
                options.containsAll(List.of("-Dluq.demo-dir=of-the-file", "-Dquarkus.http.host=127.0.0.3")),
                options.toString());
    }

    @Test
    void saysThatABuildFailed() throws Exception {
        project("echo 'no space left'; exit 1", ":");
        Path tools = directory.resolve("tools");
        Outcome outcome = run(
                List.of(directory.resolve("the project/luq").toString(), "serve", "--port", "1"),
                Map.of("PATH", tools.resolve("bin") + ":" + System.getenv("PATH"), "JAVA_HOME", tools.toString()));
        assertEquals(1, outcome.status(), outcome.output());
        assertTrue(outcome.output().contains("no space left\nluq: that failed"), outcome.output());
    }

    /** The repository of Maven may have been emptied since dependencies were there. */
    @Test
    void afterAFailureMavenMayFetchAgain() throws Exception {
        Path project = directory.resolve("the project");
        Path jar = project.resolve("target/quarkus-app/quarkus-run.jar");
        project("[[ \" $* \" != *' -o '* ]] || exit 1; mkdir -p '" + jar.getParent() + "'; touch '" + jar + "'", ":");
        Path tools = directory.resolve("tools");
        List<Integer> statuses = new ArrayList<>();
        for (String source : List.of("first", "second", "second")) {
            Files.writeString(project.resolve("src/main/source"), source);
            statuses.add(run(
                            List.of(project.resolve("luq").toString(), "serve", "--port", "1"),
                            Map.of(
                                    "PATH",
                                    tools.resolve("bin") + ":" + System.getenv("PATH"),
                                    "JAVA_HOME",
                                    tools.toString()))
                    .status());
        }
        assertEquals(List.of(0, 1, 0), statuses);
    }

    /** Its class files are open: what is loaded late would come from another build. */
    @Test
    void whatRunsIsNotReplaced() throws Exception {
        Path project = directory.resolve("the project");
        Path jar = project.resolve("target/quarkus-app/quarkus-run.jar");
        Path ends = directory.resolve("ends");
        project(
                "mkdir -p '" + jar.getParent() + "'; touch '" + jar + "'",
                "touch '" + directory + "/runs'; until [ -e '" + ends + "' ]; do sleep 0.1; done");
        List<String> serve = List.of(project.resolve("luq").toString(), "serve", "--port", "1");
        Path tools = directory.resolve("tools");
        Map<String, String> environment =
                Map.of("PATH", tools.resolve("bin") + ":" + System.getenv("PATH"), "JAVA_HOME", tools.toString());
        Process running = started(serve, environment);
        try {
            until("the server runs", () -> Files.exists(directory.resolve("runs")));
            Files.writeString(project.resolve("src/main/source"), "changed");
            Outcome refused = run(serve, environment);
            assertEquals(1, refused.status(), refused.output());
            assertTrue(refused.output().contains("the sources have changed, but"), refused.output());
        } finally {
            Files.createFile(ends);
        }
        assertEquals(0, finish(running).status());
        assertEquals(0, run(serve, environment).status());
    }

    @Test
    void minutesAreDecimal() throws Exception {
        project(":", ":");
        Path project = directory.resolve("the project");
        script(project.resolve("native/build"), "echo \"$*\"");
        Files.createFile(
                Files.createDirectories(project.resolve("native/fuzz/targets")).resolve("reader.cpp"));
        Outcome outcome =
                run(List.of(project.resolve("luq").toString(), "fuzz", "reader", "--minutes", "08"), Map.of());
        assertEquals(0, outcome.status(), outcome.output());
        assertTrue(outcome.output().contains("-max_total_time=480 "), outcome.output());
    }

    @Test
    void aBaseImageThatCannotBeFilledIsNotKept() throws Exception {
        project(":", ":");
        Path bin = directory.resolve("tools/bin");
        Path calls = directory.resolve("calls");
        script(bin.resolve("id"), "echo 0");
        script(bin.resolve("buildah"), "echo \"$*\" >> '" + calls + "'; [[ \" $* \" != *' '@(inspect|add)' '* ]]");
        for (String tool : List.of("runc", "mmdebstrap", "curl", "nsenter", "prometheus", "promtool", "go")) {
            script(bin.resolve(tool), ":");
        }
        Path project = directory.resolve("the project");
        Path jar = project.resolve("native/lib/jar.sh");
        Files.createDirectories(jar.getParent());
        Files.copy(LUQ.resolveSibling("native/lib/jar.sh"), jar);
        Path home = directory.resolve("home");
        Path maven = home.resolve(".m2");
        Files.createDirectories(maven.resolve("repository/dev/luq"));
        Files.writeString(maven.resolve("repository/library"), "");
        Files.writeString(maven.resolve("settings.xml"), "<settings/>");
        Outcome outcome = run(
                List.of(project.resolve("luq").toString(), "test", "--deploy"),
                Map.of(
                        "PATH",
                        bin + ":" + System.getenv("PATH"),
                        "JAVA_HOME",
                        bin.getParent().toString(),
                        "HOME",
                        home.toString(),
                        "MAVEN_OPTS",
                        "",
                        "MAVEN_ARGS",
                        ""));
        assertEquals(1, outcome.status(), outcome.output());
        assertTrue(outcome.output().contains("luq: that failed"), outcome.output());
        assertTrue(Files.readString(calls).contains(" add "));
        assertFalse(Files.readString(calls).contains(" commit "));
        Path copy = project.resolve("target/luq/deploy/m2");
        assertTrue(Files.exists(copy.resolve("settings.xml")) && Files.exists(copy.resolve("repository/library")));
        assertFalse(Files.exists(copy.resolve("repository/dev/luq")), "libraries are those of the image's build");
    }

    /** The launcher in a folder "the project" of its own, and a folder "tools" with what it calls: scripts. */
    private void project(String mvn, String java) throws IOException {
        Path project = Files.createDirectories(directory.resolve("the project"));
        Files.copy(LUQ, project.resolve("luq"));
        Files.writeString(project.resolve("pom.xml"), "<project/>");
        Files.writeString(Files.createDirectories(project.resolve("bench")).resolve("pom.xml"), "<project/>");
        Files.createDirectories(project.resolve("src/main"));
        script(project.resolve("native/build"), "[ \"${1:-}\" != --key ] || echo key");
        Path tools = directory.resolve("tools");
        script(tools.resolve("bin/mvn"), mvn);
        script(tools.resolve("bin/javac"), ":");
        script(
                tools.resolve("bin/java"),
                "[ \"$1\" != -version ] || { printf '%s\\n' 'Picked up JAVA_TOOL_OPTIONS: -Dx=\"y\"' 'openjdk version \"17.0.1\"' >&2;"
                        + " exit; }; " + java);
    }

    private static void script(Path file, String body) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, "#!/usr/bin/env bash\n" + body + "\n");
        assertTrue(file.toFile().setExecutable(true));
    }

    @Test
    void saysWhichJavaItNeeds() throws Exception {
        Path old = Files.createDirectories(directory.resolve("jdk/bin"));
        Path java = Files.writeString(old.resolve("java"), "#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019' >&2\n");
        assertTrue(java.toFile().setExecutable(true));
        Outcome tooOld = run(
                List.of(LUQ.toString(), "serve"),
                Map.of("JAVA_HOME", old.getParent().toString()));
        assertEquals(1, tooOld.status());
        assertTrue(tooOld.output().contains("Java is version 11.0.2; 17 or later is needed"), tooOld.output());

        Outcome none = run(List.of(LUQ.toString(), "serve"), Map.of("JAVA_HOME", directory.toString()));
        assertEquals(1, none.status());
        assertTrue(none.output().contains("no Java found in JAVA_HOME"), none.output());
    }

    @Test
    void nativeBuildSaysWhatIsWrongWithTheCommandLine() throws Exception {
        assertBuildRefused("unknown variant 'sse': take native, all or avx2", "--variant", "sse");
        assertBuildRefused("--cross knows no architecture 'mips': take aarch64 or x86_64", "--key", "--cross", "mips");
        assertBuildRefused("--sanitize goes with --test-kernels", "--key", "--sanitize");
        assertBuildRefused("--cross goes with a jar", "--llama-bench", "x", "--cross", isArm() ? "x86_64" : "aarch64");
        assertBuildRefused("the variant all has no CPU backend to link with", "--variant", "all", "--test-kernels");
    }

    @Test
    void nativeBuildRefusesACacheThatCompilersWouldSplit() throws Exception {
        Outcome outcome = run(List.of("native/build", "--key"), Map.of("LUQ_CACHE", "/tmp/a b"));
        assertEquals(
                new Outcome(
                        1,
                        "native: the path of the cache has a space: /tmp/a b/native."
                                + " Set LUQ_CACHE to a folder without one.\n"),
                outcome);
    }

    @Test
    void nativeBuildRefusesAVariantOfAnotherArchitecture() throws Exception {
        Path uname = Files.writeString(directory.resolve("uname"), "#!/bin/sh\necho aarch64\n");
        assertTrue(uname.toFile().setExecutable(true));
        Outcome outcome = run(
                List.of("native/build", "--variant", "avx2", "--key"),
                Map.of("PATH", directory + ":" + System.getenv("PATH")));
        assertEquals(
                new Outcome(1, "native: the variant avx2 is for x86_64, this is for aarch64: take native or all\n"),
                outcome);
    }

    @Test
    void nativeBuildRefusesAnArchitectureWithoutBindingsAtOnce() throws Exception {
        Path bin = directory.resolve("bin");
        script(bin.resolve("uname"), "echo riscv64");
        assertEquals(
                new Outcome(1, "native: no bindings for the architecture riscv64: x86_64 and aarch64 are supported\n"),
                run(List.of("native/build", "--key"), Map.of("PATH", bin + ":" + System.getenv("PATH"))));
    }

    /** Clang says nothing of the version of GCC that it takes the place of. */
    @Test
    void nativeBuildRefusesACompilerThatDoesNotKnowTheKernelsAtOnce() throws Exception {
        for (String version : List.of("echo 10", ":", "exit 1")) {
            Path compiler = directory.resolve("g++");
            Files.deleteIfExists(compiler);
            script(compiler, "if [ \"$1\" = --version ]; then echo 'g++ (Debian) 10.2.1'; else " + version + "; fi");
            assertEquals(
                    new Outcome(
                            1,
                            "native: GCC 11 or later is needed, not 'g++ (Debian) 10.2.1'."
                                    + " Set CC and CXX to another one.\n"),
                    run(List.of("native/build", "--key"), Map.of("CXX", compiler.toString())));
        }
    }

    /** Of 8 processors and 16 GiB. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "0::/             |                      |                               | 8",
                "0::/a/b          | a/b/cpu.max          | 200000 100000                 | 2",
                "0::/a/b          | a/cpu.max            | 150000 100000                 | 2",
                "0::/a/b          | a/b/cpu.max          | max 100000                    | 8",
                "0::/a/b          | a/memory.max         | 5368709120                    | 3",
                "0::/a/b          | a/b/memory.max       | max                           | 8",
                "0::/a/b          | memory.max           | 1000                          | 1",
                "0::/not/seen     | cpu.max              | 400000 100000                 | 4",
                "4:memory:/a      | memory/a/memory.limit_in_bytes | 3221225472          | 2",
                "4:memory:/a      | memory/a/memory.limit_in_bytes | 9223372036854771712 | 8",
                "1:cpu,cpuacct:/a | cpu,cpuacct/a/cpu.cfs_quota_us | 300000              | 3",
                "1:cpu,cpuacct:/a | cpu,cpuacct/a/cpu.cfs_quota_us | -1                  | 8"
            })
    void asManyCompilersRunAsTheControlGroupsLeaveRoomFor(String group, String file, String limit, int jobs)
            throws Exception {
        Path proc = Files.createDirectories(directory.resolve("proc/self"));
        Files.writeString(proc.resolve("cgroup"), group + "\n");
        Files.writeString(proc.resolveSibling("meminfo"), "MemAvailable:   16777216 kB\n");
        if (file != null) {
            Path limits = directory.resolve("sys/fs/cgroup").resolve(file);
            Files.createDirectories(limits.getParent());
            Files.writeString(limits, limit + "\n");
            Files.writeString(limits.resolveSibling("cpu.cfs_period_us"), "100000\n");
        }
        assertEquals(new Outcome(0, jobs + "\n"), ofNativeBuild("parallel_jobs 8 \"$1\"", Map.of()));
    }

    @Test
    void asManyCompilersRunAsTheMemoryLeavesRoomFor() throws Exception {
        Files.writeString(
                Files.createDirectories(directory.resolve("proc")).resolve("meminfo"),
                "MemTotal:   16777216 kB\nMemAvailable:   4194304 kB\n");
        assertEquals(new Outcome(0, "2\n"), ofNativeBuild("parallel_jobs 8 \"$1\"", Map.of()));
    }

    /** Runs a command with the functions of the native build; {@code $1} is a folder. */
    private Outcome ofNativeBuild(String command, Map<String, String> environment) throws Exception {
        return run(
                List.of("bash", "-euc", ". native/lib/common.sh; " + command, "", directory.toString()), environment);
    }

    @Test
    void aCompilerThatTheSystemEndsNamesTheSettingThatHelps() throws Exception {
        Outcome outcome = ofNativeBuild(
                "logged \"$1/log\" sh -c 'echo g++: fatal error: Killed signal; exit 1'", Map.of("JOBS", "7"));
        assertEquals(1, outcome.status());
        assertTrue(outcome.output().contains("set JOBS to fewer than 7"), outcome.output());
    }

    /** What was measured stays worth something. */
    @Test
    void testsAndBenchmarksOfTheKernelsAreNoPartOfTheArithmetic() throws Exception {
        Path project = Files.createDirectories(directory.resolve("native"));
        for (String file : List.of("kernels/product.cpp", "patches/a.patch", "shim/chat.cpp")) {
            Files.createDirectories(project.resolve(file).getParent());
            Files.writeString(project.resolve(file), "");
        }
        Outcome before = arithmetic(project);
        for (String file : List.of("kernels/tests/test.cpp", "kernels/bench/bench.cpp")) {
            Files.createDirectories(project.resolve(file).getParent());
            Files.writeString(project.resolve(file), "changed");
        }
        assertEquals(before, arithmetic(project));
        Files.writeString(project.resolve("kernels/product.cpp"), "changed");
        assertNotEquals(before, arithmetic(project));
    }

    private Outcome arithmetic(Path project) throws Exception {
        return ofNativeBuild(". native/lib/key.sh; arithmetic", Map.of("NATIVE_DIR", project.toString()));
    }

    @Test
    void nativeBuildForThisArchitectureNeedsNoOtherCompiler() throws Exception {
        Outcome own = run(List.of("native/build", "--key"), Map.of());
        assertEquals(own, run(List.of("native/build", "--key", "--cross", isArm() ? "arm64" : "amd64"), Map.of()));
    }

    private static boolean isArm() {
        return System.getProperty("os.arch").equals("aarch64");
    }

    private static void assertBuildRefused(String message, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of("native/build"));
        command.addAll(List.of(arguments));
        Outcome outcome = run(command, Map.of());
        assertEquals(1, outcome.status(), outcome.output());
        assertTrue(outcome.output().startsWith("native: " + message), outcome.output());
    }

    private void assertRefused(int status, String message, String... arguments) throws Exception {
        Outcome outcome = luq(arguments);
        assertEquals(status, outcome.status(), outcome.output());
        assertTrue(
                outcome.output().contains("luq: " + message) || outcome.output().contains("--model: " + message),
                outcome.output());
        assertFalse(outcome.output().contains("unbound variable"), outcome.output());
    }

    private static Outcome luq(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(LUQ.toString()));
        command.addAll(List.of(arguments));
        return run(command, Map.of());
    }

    private static Outcome run(List<String> command, Map<String, String> environment) throws Exception {
        return finish(started(command, environment));
    }

    private static Process started(List<String> command, Map<String, String> environment) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().putAll(environment);
        return builder.start();
    }

    private static Outcome finish(Process process) throws IOException {
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Outcome(ended("luq", process), output);
    }
}
