package dev.luq.helm;

import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the chart's objects are measured by: it must refuse what a cluster refuses. */
class StrictObjectsTest {

    @Test
    void wholeObjectsAreTaken() throws IOException {
        StrictObjects.require(yaml("{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: a,"
                + " env: [{name: A, value: '1'}], resources: {limits: {cpu: 1}}}]}}"));
        StrictObjects.require(yaml("{apiVersion: keda.sh/v1alpha1, kind: ScaledObject, metadata: {name: a}, spec:"
                + " {scaleTargetRef: {name: a}, triggers: [{type: cpu, metadata: {value: '1'}}]}}"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{apiVersion: v2, kind: Pod}                                     | no kind v2/Pod",
                "{apiVersion: v1, kind: Pod, spec: {container: []}}              | \"container\"",
                "{apiVersion: v1, kind: ConfigMap, data: {a: 1}}                 | Integer value (1)",
                "{apiVersion: v1, kind: ConfigMap, data: {a: true}}              | Boolean value (true)",
                "{apiVersion: apps/v1, kind: Deployment, spec: {replicas: '1'}}  | String value (\"1\")",
                "{apiVersion: keda.sh/v1alpha1, kind: ScaledObject, metadata: {}}       | property 'spec'"
            })
    void whatAClusterRefusesIsRefused(String object, String message) throws IOException {
        JsonNode yaml = yaml(object);
        AssertionError refusal = assertThrows(AssertionError.class, () -> StrictObjects.require(yaml));
        assertThat(refusal.getMessage(), containsString(message));
    }

    private static JsonNode yaml(String text) throws IOException {
        return new YAMLMapper().readTree(text);
    }
}
