package dev.luq.serving;

import static dev.luq.Until.until;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.luq.Integration;
import dev.luq.catalog.Catalog;
import dev.luq.catalog.CatalogException;
import dev.luq.catalog.Variant;
import dev.luq.requant.plan.Plan;
import dev.luq.requant.plan.Precision;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Integration
class SupervisorTest {

    private static final Path TINY = Path.of("src/test/resources/reference/llava-tiny-F16.gguf");
    private static final Map<String, String> MODELS =
            Map.of("luq.models.plain.model", TINY.toString(), "luq.models.varied.model", TINY.toString());

    @TempDir
    Path folder;

    @Test
    void aModelWhoseStoreCannotBeReadIsTheOnlyOneThatIsNotServed() throws Exception {
        Catalog before = ServedModels.catalog(folder, MODELS, new UnreadableAtTheStart());
        before.activate(before.prepare("varied", Optional.of("low")));
        try (ServedModels models = new ServedModels(folder, MODELS, new UnreadableAtTheStart())) {
            assertEquals(ModelWorker.State.FAILED, models.model("varied").state());
            until("the other one", () -> models.model("plain").state() == ModelWorker.State.READY);
        }
    }

    /** Its variant is the model itself. */
    private static final class UnreadableAtTheStart extends NoVariants {

        @Override
        public Variant find(String id) {
            return new Variant(
                    id,
                    "tiny",
                    Instant.EPOCH,
                    List.of(TINY.toAbsolutePath()),
                    Optional.empty(),
                    Optional.empty(),
                    1,
                    Plan.uniform(1, Precision.F16, Precision.F16, Precision.F16),
                    Map.of());
        }

        @Override
        public Lease lease(String id) {
            throw new CatalogException.InvalidModel("The store cannot be read.", null);
        }
    }
}
