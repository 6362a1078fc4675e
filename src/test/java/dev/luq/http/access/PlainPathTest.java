package dev.luq.http.access;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

class PlainPathTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/",
                "/v1/models",
                "/v1/models/",
                "/v1/models/Qwen2.5-VL_7B",
                "/v1/models/a...b",
                "/v1/models/.a",
                "/v1/models/a%20b",
                "/v1/models/%C3%A9",
                "/v1/models/a:b@c"
            })
    void whatEverybodyReadsAlikePasses(String path) {
        assertTrue(PlainPath.is(path));
    }

    @ParameterizedTest
    @NullSource
    @ValueSource(
            strings = {
                "",
                "*",
                "v1/models",
                "//",
                "/v1//models",
                "/v1;x/models",
                "/;",
                "/v1/./models",
                "/v1/../models",
                "/..",
                "/v1/.",
                "/v1\\models",
                "/v1%2fmodels",
                "/v1%2Fmodels",
                "/v1%5cmodels",
                "/%2e%2e/v1",
                "/.%2e/v1",
                "/v1%3bx",
                "/v1%00",
                "/v1%0d%0a",
                "/v1%7f",
                "/v1%252fmodels",
                "/v1%",
                "/v1%2",
                "/v1%zz",
                "/v1%3fx",
                "/v1%23x",
                "/v1 x",
                "/v1/\u00e9"
            })
    void whatSomebodyMayReadDifferentlyDoesNot(String path) {
        assertFalse(PlainPath.is(path));
    }
}
