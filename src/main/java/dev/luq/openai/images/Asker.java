package dev.luq.openai.images;

import dev.luq.http.errors.ApiException.ClientGone;
import java.util.function.BooleanSupplier;

/**
 * Whose images they are.
 *
 * @param client as in {@link dev.luq.http.access.Caller#client}
 * @param gone whether there is nobody any more to whom the answer could go
 */
public record Asker(String client, BooleanSupplier gone) {

    /** @throws ClientGone if it has left */
    void requirePresence() {
        if (gone.getAsBoolean()) {
            throw new ClientGone();
        }
    }
}
