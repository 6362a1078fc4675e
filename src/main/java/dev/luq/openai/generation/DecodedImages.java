package dev.luq.openai.generation;

import dev.luq.http.ClientPresence;
import dev.luq.http.errors.ApiException.ClientGone;
import dev.luq.http.intake.IntakeBudget;
import dev.luq.http.intake.ReceivedBody;
import dev.luq.openai.images.Asker;
import dev.luq.openai.images.ImageIntake;
import dev.luq.openai.images.ImageReference;
import dev.luq.protocol.ServerFrame;
import io.smallrye.mutiny.Multi;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiFunction;

/** The images of requests, until the engine has what it needs of them. */
@Singleton
final class DecodedImages {

    private final ImageIntake intake;
    private final IntakeBudget budget;

    @Inject
    DecodedImages(ImageIntake intake, IntakeBudget budget) {
        this.intake = intake;
        this.budget = budget;
    }

    /**
     * Decodes images and answers with them; see {@link ImageIntake#decode}. The request's text counts while they are
     * decoded, their pixels until nobody needs them, at the latest until the answer's end or until the client has gone.
     * There is no answer for one that has gone before.
     *
     * @param admitted the request that names them
     * @param answer gets them in the order of the references, and what lets their pixels go
     */
    <T> Multi<T> during(
            Admitted<?> admitted,
            List<ImageReference> references,
            ClientPresence client,
            BiFunction<List<ServerFrame.Image>, Runnable, Multi<T>> answer) {
        try (ReceivedBody.Hold text = admitted.body().hold()) {
            return during(references, client, asker(admitted, client), budget.beside(admitted.body()), answer);
        } catch (ClientGone left) {
            return Multi.createFrom().nothing();
        }
    }

    private <T> Multi<T> during(
            List<ImageReference> references,
            ClientPresence client,
            Asker asker,
            IntakeBudget.Share pixels,
            BiFunction<List<ServerFrame.Image>, Runnable, Multi<T>> answer) {
        try {
            List<ServerFrame.Image> decoded = intake.decode(references, asker, pixels);
            client.whenGone(pixels::close);
            Runnable letGo = () -> {
                decoded.forEach(image -> image.pixels().letGo());
                pixels.close();
            };
            return answer.apply(decoded, letGo).onTermination().invoke(pixels::close);
        } catch (RuntimeException | Error refused) {
            pixels.close();
            throw refused;
        }
    }

    private static Asker asker(Admitted<?> admitted, ClientPresence client) {
        AtomicBoolean gone = new AtomicBoolean();
        client.whenGone(() -> gone.set(true));
        return new Asker(admitted.caller().client(), gone::get);
    }
}
