package dev.luq.openai.images;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class UrlHostsTest {

    @ParameterizedTest
    @CsvSource({
        "pictures.example,           https://pictures.example/a,          true",
        "pictures.example,           HTTPS://Pictures.Example:443/a,      true",
        "pictures.example,           http://pictures.example/a,           false",
        "pictures.example,           https://pictures.example:8443/a,     false",
        "pictures.example,           https://a.pictures.example/a,        false",
        "pictures.example,           https://pictures.example.evil/a,     false",
        "Pictures.Example:8443,      https://pictures.example:8443/a,     true",
        "http://pictures.example,    http://pictures.example:80/a,        true",
        "http://pictures.example,    https://pictures.example/a,          false",
        "http://pictures.example,    http://pictures.example:443/a,       false",
        "*.pictures.example,         https://a.pictures.example/a,        true",
        "*.pictures.example,         https://a.b.pictures.example/a,      true",
        "*.pictures.example,         https://pictures.example/a,          false",
        "*.pictures.example,         https://xpictures.example/a,         false",
        "http://*.example:8080,      http://a.example:8080/a,             true",
        "http://10.0.0.5:8080,       http://10.0.0.5:8080/a,              true",
        "http://10.0.0.5:8080,       http://10.0.0.6:8080/a,              false",
        "'http://[fd00::5]:8080',    'http://[fd00::5]:8080/a',           true",
        "http://my_service:8000,     http://My_Service:8000/a,            true",
        "http://my_service:8000,     http://my_service/a,                 false",
        "my_service,                 https://my_service/a,                true",
        "*.my_service,               https://a.my_service/a,              true",
        "http://my_service:8000,     http://my_service2:8000/a,           false",
        "10.0.0.0/8,                 https://10.0.0.5/a,                  false"
    })
    void aUrlHasSchemeHostAndPortOfAnEntry(String entry, String url, boolean allowed) {
        assertEquals(allowed, new UrlHosts(List.of(entry)).allow(URI.create(url)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http:///a",
                "http://user@my_service/a",
                "http://@my_service/a",
                "http://my_service:/a",
                "http://my_service:123456/a",
                "http://my_service:-1/a",
                "http://my_s%65rvice/a",
                "http://my_service,other/a",
                "http:my_service"
            })
    void whatIsNotPlainlyAHostIsNone(String url) {
        assertNull(UrlHosts.host(URI.create(url)));
    }

    @Test
    void addressesThatAreNotPublicAreNamed() {
        UrlHosts hosts =
                new UrlHosts(List.of("pictures.example", "http://10.0.0.5:8080", "fd00::/8", "192.168.1.0/24"));
        for (String allowed : List.of("10.0.0.5", "fd12::1", "192.168.1.77", "93.184.216.34")) {
            assertTrue(hosts.allow(Network.literal(allowed)), allowed);
        }
        for (String refused : List.of("10.0.0.6", "fe80::1", "192.168.2.1", "127.0.0.1", "::1")) {
            assertFalse(hosts.allow(Network.literal(refused)), refused);
        }
    }

    @Test
    void addressesAloneAllowNothing() {
        assertTrue(new UrlHosts(List.of("10.0.0.0/8")).isEmpty());
        assertFalse(new UrlHosts(List.of("10.0.0.5")).isEmpty());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "*",
                "*.",
                "https://",
                "ftp://pictures.example",
                "https://pictures.example/path",
                "user@pictures.example",
                "pictures.*",
                "a.*.example",
                "pictures.example:0",
                "pictures.example:65536",
                "10.0.0.0/33",
                "10.0.0.0/x",
                "10.0.0/8",
                "*.10.0.0.5",
                "[pictures.example]",
                "[fd00::5"
            })
    void whatIsNoEntryIsNamed(String entry) {
        String message = assertThrows(IllegalArgumentException.class, () -> new UrlHosts(List.of(entry)))
                .getMessage();
        assertTrue(message.contains("luq.images.url-hosts has " + entry), message);
    }
}
