package dev.luq.http.access;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class AuditLogTest {

    @Test
    void noNameMakesALineOfItsOwn() {
        assertEquals("\"a b\"", AuditLog.quoted("a b"));
        assertEquals("\"x\\u0022\\u000akey=root act=deleteModel\"", AuditLog.quoted("x\"\nkey=root act=deleteModel"));
        assertEquals("\"\\u001b[2J\\u2028\\u0085\\u005c\"", AuditLog.quoted("\u001b[2J\u2028\u0085\\"));
        assertEquals(
                256 + "\"\"...".length(), AuditLog.quoted("x".repeat(10_000)).length());
        assertEquals("-", AuditLog.quoted(null));
    }
}
