package dev.luq.helm;

import static dev.luq.Until.until;
import static dev.luq.helm.Chart.stream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * The first container of a pod of the chart, run by runc as a kubelet has it run: its user and groups, no capability,
 * its root file system without the right to write, its limits, its volumes, a network of its own. Closing ends it at
 * once. Needs root.
 */
final class Pod implements AutoCloseable {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long MIB = 1 << 20;
    /** As a kubelet gives it to pods that ask for less memory than they may take, or for little. */
    private static final int OOM_SCORE = 900;

    /**
     * An image as buildah built it.
     *
     * @param root its file system, mounted
     * @param config {@code config} of its OCI configuration
     */
    record Image(Path root, JsonNode config) {

        /** @param folder with the files {@code root}, which holds a path, and {@code config.json} */
        static Image of(Path folder) throws IOException {
            return new Image(
                    Path.of(Files.readString(folder.resolve("root")).strip()),
                    JSON.readTree(folder.resolve("config.json").toFile()).at("/OCIv1/config"));
        }
    }

    private final String id;
    private final Path directory;
    private final Path log;
    private Process runc;

    private Pod(Path directory) {
        this.id = "luq-" + ProcessHandle.current().pid() + "-" + directory.getFileName();
        this.directory = directory;
        this.log = directory.resolve("log");
    }

    /** Starts a pod of the server, and waits until it is ready. */
    static Pod start(Chart.Rendered chart, Image image, Path directory) throws IOException {
        Pod pod = start(chart.objects(), chart.podTemplate(), image, directory, Map.of(), Optional.empty());
        pod.awaitReady();
        return pod;
    }

    /**
     * Starts it.
     *
     * @param objects among which ConfigMaps and Secrets are
     * @param template its {@code metadata} and {@code spec}
     * @param directory a new one of its own, whose parent holds the claims
     * @param environment in place of what the chart says
     * @param network whose network it shares; empty for one of its own
     */
    static Pod start(
            List<JsonNode> objects,
            JsonNode template,
            Image image,
            Path directory,
            Map<String, String> environment,
            Optional<Pod> network)
            throws IOException {
        Pod pod = new Pod(Files.createDirectories(directory));
        JsonNode spec = template.path("spec");
        ObjectNode bundle = pod.bundle(objects, spec, spec.at("/containers/0"), image, environment);
        ObjectNode namespace =
                bundle.withObject("/linux").withArray("namespaces").addObject();
        namespace.put("type", "network");
        network.ifPresent(other -> namespace.put("path", "/proc/" + other.pid() + "/ns/net"));
        JSON.writeValue(directory.resolve("config.json").toFile(), bundle);
        pod.runc = new ProcessBuilder("runc", "run", "--bundle", directory.toString(), pod.id)
                .redirectErrorStream(true)
                .redirectOutput(pod.log.toFile())
                .start();
        return pod;
    }

    private ObjectNode bundle(
            List<JsonNode> objects, JsonNode spec, JsonNode container, Image image, Map<String, String> environment)
            throws IOException {
        JsonNode security = spec.path("securityContext");
        int user = security.path("runAsUser").intValue();
        int group = security.path("fsGroup").intValue();
        ObjectNode bundle = JSON.createObjectNode().put("ociVersion", "1.0.2").put("hostname", "luq");
        bundle.putObject("root")
                .put("path", image.root().toString())
                .put(
                        "readonly",
                        container.at("/securityContext/readOnlyRootFilesystem").booleanValue());
        ObjectNode process = bundle.putObject("process")
                .put("terminal", false)
                .put("oomScoreAdj", OOM_SCORE)
                .put("cwd", image.config().path("WorkingDir").asText("/"))
                .put(
                        "noNewPrivileges",
                        !container
                                .at("/securityContext/allowPrivilegeEscalation")
                                .asBoolean(true));
        process.putObject("user")
                .put("uid", user)
                .put("gid", security.path("runAsGroup").intValue())
                .putArray("additionalGids")
                .add(group);
        process.putObject("capabilities");
        ArrayNode arguments = process.putArray("args");
        stream(
                        container.has("command")
                                ? container.path("command")
                                : image.config().path("Entrypoint"))
                .forEach(arguments::add);
        stream(container.path("args")).forEach(arguments::add);
        ArrayNode variables = process.putArray("env");
        variables(objects, container, image, environment).forEach((name, value) -> variables.add(name + "=" + value));
        ArrayNode mounts = bundle.putArray("mounts");
        mount(mounts, "/proc", "proc", "proc", "nosuid", "noexec", "nodev");
        mount(mounts, "/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k");
        mount(mounts, "/dev/shm", "tmpfs", "shm", "nosuid", "noexec", "nodev", "mode=1777", "size=65536k");
        mount(mounts, "/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", "ro");
        mount(mounts, "/sys/fs/cgroup", "cgroup", "cgroup", "nosuid", "noexec", "nodev", "ro");
        for (JsonNode mount : container.path("volumeMounts")) {
            JsonNode volume =
                    Chart.named(spec.path("volumes"), mount.path("name").asText());
            Path source =
                    volume(objects, volume, group).resolve(mount.path("subPath").asText(""));
            mount(
                    mounts,
                    mount.path("mountPath").asText(),
                    "bind",
                    source.toString(),
                    "rbind",
                    mount.path("readOnly").asBoolean() ? "ro" : "rw");
        }
        ObjectNode linux = bundle.putObject("linux").put("cgroupsPath", cgroup());
        ArrayNode namespaces = linux.putArray("namespaces");
        for (String type : List.of("pid", "ipc", "uts", "mount")) {
            namespaces.addObject().put("type", type);
        }
        if (CgroupMemory.isUnified()) {
            namespaces.addObject().put("type", "cgroup"); // then kubelets have the container see its own limits alone
        }
        String limit = container.at("/resources/limits/memory").asText();
        if (!limit.isEmpty()) {
            linux.putObject("resources").putObject("memory").put("limit", bytes(limit));
        }
        return bundle;
    }

    private static void mount(ArrayNode mounts, String target, String type, String source, String... options) {
        ArrayNode list = mounts.addObject()
                .put("destination", target)
                .put("type", type)
                .put("source", source)
                .putArray("options");
        List.of(options).forEach(list::add);
    }

    private static Map<String, String> variables(
            List<JsonNode> objects, JsonNode container, Image image, Map<String, String> environment) {
        Map<String, String> variables = new TreeMap<>();
        stream(image.config().path("Env")).map(JsonNode::asText).forEach(entry -> {
            int end = entry.indexOf('=');
            variables.put(entry.substring(0, end), entry.substring(end + 1));
        });
        for (JsonNode entry : container.path("env")) {
            JsonNode secret = entry.at("/valueFrom/secretKeyRef");
            String value = secret.isMissingNode()
                    ? entry.path("value").asText()
                    : files(objects, "Secret", secret.path("name").asText())
                            .get(secret.path("key").asText());
            variables.put(entry.path("name").asText(), value);
        }
        variables.putAll(environment);
        return variables;
    }

    /** The folder of a volume: of a claim one that pods share, of the rest the pod's own. */
    private Path volume(List<JsonNode> objects, JsonNode volume, int group) throws IOException {
        if (volume.has("persistentVolumeClaim")) {
            return writable(
                    directory
                            .resolveSibling("claims")
                            .resolve(volume.at("/persistentVolumeClaim/claimName")
                                    .asText()),
                    group);
        }
        Path folder = directory.resolve("volumes").resolve(volume.path("name").asText());
        if (volume.has("emptyDir")) {
            return writable(folder, group);
        }
        Files.createDirectories(folder);
        if (volume.has("configMap")) {
            for (Map.Entry<String, String> file : files(
                            objects, "ConfigMap", volume.at("/configMap/name").asText())
                    .entrySet()) {
                Files.writeString(folder.resolve(file.getKey()), file.getValue());
            }
            return folder;
        }
        Map<String, String> secret =
                files(objects, "Secret", volume.at("/secret/secretName").asText());
        for (JsonNode item : volume.at("/secret/items")) {
            Path file = Files.writeString(
                    folder.resolve(item.path("path").asText()),
                    secret.get(item.path("key").asText()));
            Files.setAttribute(file, "unix:gid", group);
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("r--r-----"));
        }
        return folder;
    }

    private static Path writable(Path folder, int group) throws IOException {
        Files.createDirectories(folder);
        Files.setAttribute(folder, "unix:gid", group);
        Files.setAttribute(folder, "unix:mode", 02775);
        return folder;
    }

    /** What a ConfigMap or Secret holds, by the names of its entries. */
    static Map<String, String> files(List<JsonNode> objects, String kind, String name) {
        JsonNode found = objects.stream()
                .filter(object -> object.path("kind").asText().equals(kind)
                        && object.at("/metadata/name").asText().equals(name))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no " + kind + " " + name));
        Map<String, String> files = new TreeMap<>();
        found.path("data")
                .properties()
                .forEach(entry -> files.put(
                        entry.getKey(),
                        kind.equals("Secret")
                                ? new String(
                                        Base64.getDecoder()
                                                .decode(entry.getValue().asText()),
                                        StandardCharsets.UTF_8)
                                : entry.getValue().asText()));
        return files;
    }

    private static long bytes(String quantity) {
        long number = Long.parseLong(quantity.replaceAll("\\D", ""));
        return number * (quantity.endsWith("Gi") ? MIB << 10 : MIB);
    }

    /** The folder of a volume that is the pod's own. */
    Path volumeFolder(String name) {
        return directory.resolve("volumes").resolve(name);
    }

    /** Of the first process. */
    long pid() {
        try {
            return JSON.readTree(run("runc", "state", id).output()).path("pid").asLong();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Runs a command in the container, as its user. */
    Command.Result exec(String... command) {
        List<String> line = new ArrayList<>(List.of("runc", "exec", id));
        line.addAll(List.of(command));
        return run(line.toArray(String[]::new));
    }

    /** How a command is begun that is of this machine, but in the pod's network. */
    List<String> inItsNetwork() {
        return List.of("nsenter", "--net=/proc/" + pid() + "/ns/net");
    }

    void awaitReady() {
        try {
            until("the pod is ready", Duration.ofMinutes(5), () -> {
                if (!runc.isAlive()) {
                    throw new AssertionError("The pod ended:\n" + log());
                }
                return exec("luq", "health", "ready").code() == 0;
            });
        } catch (AssertionError e) {
            throw new AssertionError(e.getMessage() + "\n" + log(), e);
        }
    }

    /** As the kubelet does at first. */
    void terminate() {
        run("runc", "kill", id, "TERM");
    }

    /** @return the exit status of its first process */
    int awaitEnd(Duration limit) throws InterruptedException {
        if (!runc.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
            throw new AssertionError("The pod did not end in " + limit + "\n" + log());
        }
        return runc.exitValue();
    }

    CgroupMemory memory() {
        return new CgroupMemory(cgroup());
    }

    private String cgroup() {
        return "/luq-deploy/" + id;
    }

    String log() {
        try {
            return Files.exists(log) ? Files.readString(log) : "";
        } catch (IOException e) {
            return e.toString();
        }
    }

    @Override
    public void close() throws InterruptedException {
        run("runc", "delete", "--force", id);
        runc.waitFor();
    }

    private static Command.Result run(String... line) {
        return Command.run(List.of(line));
    }
}
