package dev.luq.helm;

import static dev.luq.helm.Chart.named;
import static dev.luq.helm.Chart.stream;
import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.luq.Integration;
import dev.luq.helm.Chart.Rendered;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Where models and sets come from. */
@Integration
class ChartModelsTest {

    private static final String SUM = "0a".repeat(32);

    @Test
    void aModelOfAClaimIsReadAndNotWritten() {
        Rendered chart = Chart.render("models: [{id: a.b, model: m.gguf, mmproj: p.gguf, source: {claim: {name: models,"
                + " subPath: vision/a}}}]");
        JsonNode mount = chart.mount("/models/a.b");
        assertTrue(mount.path("readOnly").asBoolean());
        assertEquals("vision/a", mount.path("subPath").asText());
        assertEquals(
                "{\"claimName\":\"models\",\"readOnly\":true}",
                chart.volume("/models/a.b").path("persistentVolumeClaim").toString());
        assertEquals("/models/a.b/m.gguf", chart.properties().get("luq.models.\"a.b\".model"));
        assertEquals("/models/a.b/p.gguf", chart.properties().get("luq.models.\"a.b\".mmproj"));
    }

    @Test
    void aModelOfAnImageIsAVolume() {
        String values = "models: [{id: a, model: m.gguf, source: {image: {reference: 'example.org/a:1'}}}]";
        assertEquals(
                "{\"reference\":\"example.org/a:1\",\"pullPolicy\":\"IfNotPresent\"}",
                Chart.render(values).volume("/models/a").path("image").toString());
        assertThat(Chart.refusalOn("1.30.0", values), containsString("which Kubernetes does from 1.31 on"));
    }

    @Test
    void filesAreFetchedBeforeTheServerStarts() {
        Rendered chart = Chart.render(
                """
                models:
                  - id: a
                    model: m.gguf
                    mmproj: projector.gguf
                    source:
                      files:
                        - {url: "https://example.org:8443/x/m.gguf?download=1", sha256: "%1$s"}
                        - {url: "http://example.org/other", sha256: "%1$s", file: projector.gguf}
                      headerSecret: {name: hub, key: header}
                networkPolicy: {enabled: true}
                """
                        .formatted(SUM));
        JsonNode fetch = named(chart.podSpec().path("initContainers"), "fetch-models");
        assertEquals(chart.container().path("image"), fetch.path("image"));
        assertTrue(fetch.at("/securityContext/readOnlyRootFilesystem").asBoolean());
        assertEquals(
                List.of(
                        "/var/lib/luq/models/a/m.gguf",
                        "https://example.org:8443/x/m.gguf?download=1",
                        SUM,
                        "/etc/luq/fetch/a",
                        "/var/lib/luq/models/a/projector.gguf",
                        "http://example.org/other",
                        SUM,
                        "/etc/luq/fetch/a"),
                stream(fetch.path("args")).map(JsonNode::asText).toList());
        assertEquals("/var/lib/luq/models/a/m.gguf", chart.properties().get("luq.models.\"a\".model"));
        JsonNode header = stream(fetch.path("volumeMounts"))
                .filter(mount -> mount.path("mountPath").asText().equals("/etc/luq/fetch/a"))
                .findFirst()
                .orElseThrow();
        assertEquals("header", header.path("subPath").asText());
        assertEquals(
                "hub",
                named(chart.podSpec().path("volumes"), header.path("name").asText())
                        .at("/secret/secretName")
                        .asText());
        assertFalse(chart.container().toString().contains("/etc/luq/fetch"), "the server needs no key of the source");
        assertEquals(
                "53 53 5353 5353 8443 80 443",
                stream(chart.all("NetworkPolicy").get(0).at("/spec/egress/0/ports"))
                        .map(port -> port.path("port").asText())
                        .collect(Collectors.joining(" ")),
                "the policy lets nothing be fetched");
    }

    @Test
    void whatFetchesMayGoThroughAProxyAndTrustAnAuthorityOfOnesOwn() {
        JsonNode fetch = named(
                Chart.render(
                                """
                                models:
                                  - {id: a, model: m.gguf, source: {files: [{url: "https://b/m.gguf", sha256: "%s"}]}}
                                fetch:
                                  extraEnv: [{name: HTTPS_PROXY, value: "http://proxy:3128"}]
                                  extraVolumeMounts: [{name: authority, mountPath: /authority}]
                                """
                                        .formatted(SUM))
                        .podSpec()
                        .path("initContainers"),
                "fetch-models");
        assertEquals(
                "http://proxy:3128",
                named(fetch.path("env"), "HTTPS_PROXY").path("value").asText());
        assertEquals(
                "/authority",
                named(fetch.path("volumeMounts"), "authority").path("mountPath").asText());
    }

    @Test
    void setsAreFoldersBelowTheirRoot() {
        Rendered chart = Chart.render(
                "sets: [{name: faces, configMap: of-faces}," + " {name: streets, claim: pictures, subPath: streets}]");
        String root = chart.environment("LUQ_SETS_ROOT");
        assertEquals("emptyDir", fields(chart.volume(root)));
        assertEquals("streets", chart.mount(root + "/streets").path("subPath").asText());
        assertTrue(chart.mount(root + "/streets").path("readOnly").asBoolean());
        JsonNode copy = named(chart.podSpec().path("initContainers"), "copy-sets");
        assertEquals("[\"faces\"]", copy.path("args").toString());
        String volume = stream(copy.path("volumeMounts"))
                .filter(mount -> mount.path("mountPath").asText().equals("/etc/luq/sets/faces"))
                .findFirst()
                .orElseThrow()
                .path("name")
                .asText();
        assertEquals(
                "of-faces",
                named(chart.podSpec().path("volumes"), volume)
                        .at("/configMap/name")
                        .asText());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "models: [{id: a, model: /m.gguf, source: {claim: {name: b}}}] | relative to the source",
                "models: [{id: a, model: m.gguf, source: {files: [{url: 'https://b/n.gguf', sha256: %s}]}}] | n.gguf",
                "models: [{id: a, model: m.gguf, source: {files: [{url: 'https://b/m.gguf', sha256: %s}, {url: 'https://c/m.gguf', sha256: %s}]}}] | two files of the source of \"a\" become m.gguf",
                "models: [{id: a, model: m.gguf, source: {files: [{url: 'https://b/..', sha256: %s}]}}] | gives no name of a file",
                "models: [{id: a, model: m.gguf, source: {claim: {name: ''}}}] | name",
                "models: [{id: a, model: m.gguf, source: {claim: {name: b}, image: {reference: c}}}] | oneOf",
                "models: [{id: a, model: m.gguf, source: {files: [{url: 'https://b/m.gguf'}]}}] | sha256",
                "models: [{id: a, model: m.gguf, source: {files: [{url: 'ftp://b/m.gguf', sha256: %s}]}}] | url",
                "sets: [{name: a, configMap: b}, {name: a, claim: c}] | the name \"a\" is given twice",
                "sets: [{name: a}] | oneOf"
            })
    void sourcesThatCannotBeAreRefused(String values, String message) {
        assertThat(Chart.refusal(values.replace("%s", SUM)), containsString(message));
    }

    private static String fields(JsonNode volume) {
        return volume.properties().stream()
                .map(Map.Entry::getKey)
                .filter(field -> !field.equals("name"))
                .collect(Collectors.joining());
    }
}
