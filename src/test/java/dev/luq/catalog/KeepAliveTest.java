package dev.luq.catalog;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class KeepAliveTest {

    private static final ObjectMapper JSON = new ObjectMapper();

    @ParameterizedTest
    @CsvSource({
        "300, PT5M",
        "5m, PT5M",
        "5M, PT5M",
        "1h30m, PT1H30M",
        "24h, PT24H",
        "1m30s, PT1M30S",
        "250ms, PT0.25S",
        "0, PT0S",
        "0s, PT0S"
    })
    void aTextIsSecondsOrADuration(String text, Duration idle) {
        KeepAlive read = KeepAlive.of(text);
        assertEquals(new KeepAlive(idle), read);
        assertEquals(read, KeepAlive.of(read.toString()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"never", "-1", "-1s", "-5m", "-300"})
    void whatIsNegativeIsNever(String text) {
        assertEquals(KeepAlive.NEVER, KeepAlive.of(text));
        assertEquals(-1, KeepAlive.of(text).seconds());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "m", "5x", "1m5", "5 m", "1d", "400000h", "999999999999", "0x10", "forever"})
    void otherTextsAreRefused(String text) {
        assertThrows(IllegalArgumentException.class, () -> KeepAlive.of(text));
    }

    @ParameterizedTest
    @CsvSource({"300, PT5M", "0.25, PT0.25S", "0, PT0S", "1e-999999, PT0S", "'\"5m\"', PT5M"})
    void jsonIsANumberOfSecondsOrAText(String json, Duration idle) throws IOException {
        assertEquals(new KeepAlive(idle), KeepAlive.ofJson(read(json)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"true", "{}", "[300]", "1e99", "1e999999999"})
    void otherJsonIsRefused(String json) throws IOException {
        JsonNode value = read(json);
        assertThrows(IllegalArgumentException.class, () -> KeepAlive.ofJson(value));
    }

    private static JsonNode read(String json) throws IOException {
        return JSON.reader()
                .with(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
                .readTree(json);
    }
}
