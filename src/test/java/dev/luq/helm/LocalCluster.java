package dev.luq.helm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * A Kubernetes cluster of one node, which {@code ./luq test --cluster} started, and the programs that speak to it.
 *
 * @param folder where it lies: {@code bin} and {@code kubeconfig}
 * @param process one in its namespaces
 */
record LocalCluster(Path folder, long process) {

    /** Of the node, for its pods. */
    static final String ADDRESS = "192.168.66.1";

    private static final ObjectMapper JSON = new ObjectMapper();

    static LocalCluster started() {
        return new LocalCluster(Path.of(System.getProperty("luq.cluster")), Long.getLong("luq.cluster.process"));
    }

    /** How a command is begun that is of this machine, but in the node's network. */
    List<String> inItsNetwork() {
        return List.of(
                "nsenter", "--net=/proc/" + process + "/ns/net", "env", "KUBECONFIG=" + folder.resolve("kubeconfig"));
    }

    /** Runs kubectl. */
    Command.Result tryKubectl(String... words) {
        return run("", program("node", "kubectl"), words);
    }

    /** The same, which must succeed: what it prints. */
    String kubectl(String... words) {
        return output(tryKubectl(words));
    }

    /** Makes or changes objects. */
    void apply(String yaml) {
        output(run(yaml, program("node", "kubectl"), "apply", "--filename", "-"));
    }

    /** Runs Helm. */
    Command.Result tryHelm(String... words) {
        return run("", program("helm"), words);
    }

    /** The same, which must succeed: what it prints. */
    String helm(String... words) {
        return output(tryHelm(words));
    }

    /** Objects of a kind, by a selector of labels. */
    List<JsonNode> objects(String namespace, String kind, String selector) {
        try {
            JsonNode list = JSON.readTree(
                    kubectl("get", kind, "--namespace", namespace, "--selector", selector, "--output", "json"));
            return Chart.stream(list.path("items")).toList();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** The entry of a Secret. */
    String secret(String namespace, String name, String entry) {
        String path = "jsonpath={.data." + entry + "}";
        byte[] value =
                Base64.getDecoder().decode(kubectl("get", "secret", name, "--namespace", namespace, "--output", path));
        return new String(value, StandardCharsets.UTF_8);
    }

    /** A volume of the node's disk, for the first claim that asks for no class. */
    void volume(String name) throws IOException {
        Files.createDirectories(folder.resolve("var/lib/volumes").resolve(name));
        apply(
                """
                apiVersion: v1
                kind: PersistentVolume
                metadata: {name: %s}
                spec:
                  capacity: {storage: 20Gi}
                  accessModes: [ReadWriteOnce]
                  local: {path: /var/lib/volumes/%s}
                  nodeAffinity:
                    required:
                      nodeSelectorTerms:
                        - matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [node]}]
                """
                        .formatted(name, name));
    }

    /** A command of this machine in the node's network. */
    List<String> line(String... words) {
        List<String> line = new ArrayList<>(inItsNetwork());
        line.addAll(List.of(words));
        return line;
    }

    private List<String> program(String name, String... words) {
        List<String> line = line(folder.resolve("bin").resolve(name).toString());
        line.addAll(List.of(words));
        return line;
    }

    private static Command.Result run(String input, List<String> program, String... words) {
        List<String> line = new ArrayList<>(program);
        line.addAll(List.of(words));
        return Command.run(line, input);
    }

    private static String output(Command.Result result) {
        assertEquals(0, result.code(), result.output());
        return result.output();
    }
}
