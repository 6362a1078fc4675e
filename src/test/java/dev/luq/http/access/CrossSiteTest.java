package dev.luq.http.access;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CrossSiteTest {

    @ParameterizedTest
    @CsvSource({
        "POST,   localhost:8080, ,                        ,            false",
        "POST,   localhost:8080, http://localhost:8080,   ,            false",
        "POST,   localhost:8080, http://LOCALHOST:8080,   ,            false",
        "POST,   localhost:8080, http://localhost:8080,   same-origin, false",
        "POST,   localhost:8080, ,                        none,        false",
        "POST,   localhost:8080, http://evil.example,     ,            true",
        "DELETE, localhost:8080, http://evil.example,     ,            true",
        "POST,   localhost:8080, http://localhost:3000,   ,            true",
        "POST,   localhost:8080, null,                    ,            true",
        "POST,   localhost:8080, http://,                 ,            true",
        "POST,   localhost:8080, http://localhost:8080,   cross-site,  true",
        "POST,   localhost:8080, ,                        same-site,   true",
        "GET,    localhost:8080, http://evil.example,     cross-site,  false"
    })
    void whatAForeignPageDoesIsFound(String method, String host, String origin, String fetchSite, boolean expected) {
        assertEquals(expected, CrossSite.acts(method, host, origin, fetchSite));
    }
}
