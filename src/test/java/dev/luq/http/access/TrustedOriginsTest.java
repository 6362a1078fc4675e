package dev.luq.http.access;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TrustedOriginsTest {

    @ParameterizedTest
    @CsvSource({
        "https://chat.example,       true",
        "HTTPS://Chat.Example,       true",
        "http://localhost:3000,      true",
        "http://chat.example,        false",
        "https://chat.example:444,   false",
        "https://a.chat.example,     false",
        "http://localhost:30000,     false",
        "app://obsidian.md,          true",
        "app://other,                false",
        "null,                       false",
        ",                           false"
    })
    void aSiteIsNamedWhole(String origin, boolean trusted) {
        assertEquals(
                trusted,
                new TrustedOrigins(List.of("https://chat.example", "http://localhost:3000", "app://obsidian.md"), false)
                        .contains(origin));
    }

    @ParameterizedTest
    @ValueSource(strings = {"chat.example", "https://chat.example/", "https://*.example", "app:name", "://a", "", "*,"})
    void whatIsNoSiteIsRefused(String origin) {
        assertThrows(IllegalArgumentException.class, () -> new TrustedOrigins(List.of(origin), true));
    }

    @Test
    void everySiteIsTrustedOnlyAloneAndWithKeys() {
        TrustedOrigins every = new TrustedOrigins(List.of("*"), true);
        assertTrue(every.contains("https://any.example"));
        assertTrue(every.contains("null"));
        assertFalse(every.contains(null), "no browser");
        assertThrows(IllegalArgumentException.class, () -> new TrustedOrigins(List.of("*", "https://a.example"), true));
        assertTrue(assertThrows(IllegalArgumentException.class, () -> new TrustedOrigins(List.of("*"), false))
                .getMessage()
                .contains("API keys"));
    }
}
