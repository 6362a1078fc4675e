package dev.luq.http.intake;

import dev.luq.http.errors.ApiException;
import io.vertx.core.buffer.Buffer;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** Bodies for tests, as {@link BodyIntake} makes them; to be closed. */
public final class TestBodies {

    private TestBodies() {}

    /** One that has come and may be parsed. */
    static ReceivedBody received(IntakeBudget budget, String json) {
        byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
        ReceivedBody body = new ReceivedBody(budget.reserve("a", 0), bytes.length);
        try {
            body.append(Buffer.buffer(bytes), 0);
            body.chargeParsing();
            return body;
        } catch (ApiException refused) {
            body.close();
            throw refused;
        }
    }

    /** One that was parsed: a text of so many bytes. */
    public static ReceivedBody parsed(IntakeBudget budget, int bytes) {
        ReceivedBody body = received(budget, "\"" + "x".repeat(bytes - 2) + "\"");
        try (InputStream in = body.stream()) {
            in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return body;
    }
}
