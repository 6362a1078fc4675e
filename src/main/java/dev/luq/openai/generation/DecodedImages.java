package dev.luq.openai.generation;

import dev.luq.http.ClientPresence;
import dev.luq.http.access.Caller;
import dev.luq.http.intake.IntakeBudget;
import dev.luq.http.intake.ReceivedBody;
import dev.luq.openai.images.ImageIntake;
import dev.luq.openai.images.ImageReference;
import dev.luq.protocol.ServerFrame;
import io.smallrye.mutiny.Multi;
import io.vertx.ext.web.RoutingContext;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.List;
import java.util.function.Function;

/** The images of requests for as long as their answers take. */
@Singleton
final class DecodedImages {

    private final ImageIntake intake;
    private final IntakeBudget budget;
    private final RoutingContext routing;

    @Inject
    DecodedImages(ImageIntake intake, IntakeBudget budget, RoutingContext routing) {
        this.intake = intake;
        this.budget = budget;
        this.routing = routing;
    }

    /**
     * Decodes images and answers with them; see {@link ImageIntake#decode}. Their pixels count until the answer's end, or
     * until the client has gone.
     *
     * @param answer gets them in the order of the references
     */
    <T> Multi<T> during(
            List<ImageReference> references,
            ClientPresence client,
            Function<List<ServerFrame.Image>, Multi<T>> answer) {
        IntakeBudget.Share pixels = budget.beside(ReceivedBody.of(routing));
        try {
            List<ServerFrame.Image> decoded = intake.decode(references, Caller.of(routing).client(), pixels);
            client.whenGone(pixels::close);
            return answer.apply(decoded).onTermination().invoke(pixels::close);
        } catch (RuntimeException | Error refused) {
            pixels.close();
            throw refused;
        }
    }
}
