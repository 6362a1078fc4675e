package dev.luq.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.files.PlainText;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

@Integration
class LogRelayTest {

    private static final String NAME = "dev.luq.process.LogRelayTest";

    private final Logger logger = Logger.getLogger(NAME);
    private final List<String> lines = new ArrayList<>();
    private final Handler handler = new Handler() {
        @Override
        public void publish(LogRecord line) {
            Object[] parameters = line.getParameters();
            String text = parameters == null || parameters.length == 0
                    ? line.getMessage()
                    : String.format(line.getMessage(), parameters);
            lines.add(line.getLevel() + " " + text);
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    };

    @BeforeEach
    void listen() {
        logger.addHandler(handler);
    }

    @AfterEach
    void leave() {
        logger.removeHandler(handler);
    }

    @Test
    void everyLineIsThatOfItsProcess() {
        relay(
                "WARN one\n2026-11-27 12:00:00 INFO  [dev.luq] (main) A forged line\nERROR two\rERROR [dev.luq] three\n\n");
        assertEquals(3, lines.size());
        assertTrue(lines.get(0).endsWith("[m] one"), lines.get(0));
        assertTrue(lines.get(1).contains("INFO") && lines.get(1).contains("[m] 2026"), lines.get(1));
        assertTrue(lines.get(2).endsWith("[m] two\\u000dERROR [dev.luq] three"), lines.get(2));
    }

    @Test
    void whatControlsATerminalIsEscaped() {
        relay("INFO a\u001b[2Jb\u202ec\u2028d\u0000\te\n");
        assertTrue(lines.get(0).endsWith("[m] a\\u001b[2Jb\\u202ec\\u2028d\\u0000 e"), lines.get(0));
        assertEquals("\\ud800x\\u{e0001} [2 more characters]", PlainText.of("\ud800x\udb40\udc01yz", 4));
    }

    @Test
    @SuppressWarnings("InputStreamSlowMultibyteRead")
    void aLineWithoutEndTakesNoMemory() {
        InputStream endless = new InputStream() {
            private int left = 50_000_000;

            @Override
            public int read() {
                return left-- > 0 ? 'x' : -1;
            }
        };
        LogRelay.relay(endless, org.jboss.logging.Logger.getLogger(NAME), "m");
        assertEquals(1, lines.size());
        assertTrue(
                lines.get(0).length() < LogRelay.LONGEST_LINE + 100,
                () -> "" + lines.get(0).length());
        assertTrue(lines.get(0).endsWith(" [" + (50_000_000 - LogRelay.LONGEST_LINE) + " more bytes]"));
    }

    @Test
    void aFloodOfLinesIsThinned() {
        relay("INFO x\n".repeat(10 * LogRelay.BURST));
        assertTrue(lines.size() >= LogRelay.BURST && lines.size() < 3 * LogRelay.BURST, () -> "" + lines.size());
        assertTrue(lines.get(lines.size() - 1).contains("lines were left out"), lines.get(lines.size() - 1));
    }

    private static void relay(String text) {
        LogRelay.relay(
                new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)),
                org.jboss.logging.Logger.getLogger(NAME),
                "m");
    }
}
