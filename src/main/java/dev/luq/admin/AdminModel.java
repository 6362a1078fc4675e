package dev.luq.admin;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import dev.luq.catalog.CatalogEntry;
import dev.luq.catalog.Variant;
import dev.luq.memory.MemoryEstimate;
import dev.luq.serving.ModelWorker;
import dev.luq.serving.WorkerSettings;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/**
 * A model as an administrator sees it.
 *
 * @param object {@code model}
 * @param isDefault whether requests that name no model get it
 * @param source {@code configured} or {@code registered}
 * @param state as in {@code /v1/models}
 * @param failure why it is not served
 * @param files names of the base files
 * @param mmproj name of the base's projector
 * @param variant what is served in place of the base
 * @param bytes of the weights that are served
 * @param mmprojBytes of the projector's weights
 * @param kernels what multiplies the weights
 * @param contextSize as configured; 0 takes what the model was trained for, at most 8192
 * @param slots sequences decoded at once
 * @param load {@code start} or {@code demand}
 * @param pinned whether it stays when another model needs its memory
 * @param keepAlive seconds that it stays after its last request; -1 for ever
 * @param lastUsed when its latest request came or ended, in seconds since 1970
 * @param memory what serving takes, by the files' headers; null where they do not say
 * @param measuredBytes what its processes take now; 0 without any
 * @param inFlight requests that run or wait, be it for the model to be loaded
 * @param restarts how often its process died and was started again
 */
@RegisterForReflection
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@Schema(name = "AdminModel")
record AdminModel(
        String id,
        String object,
        List<String> aliases,
        @JsonProperty("default") boolean isDefault,
        @Schema(enumeration = {"configured", "registered"}) String source,
        String state,
        @Schema(nullable = true) String failure,
        List<String> files,
        @Schema(nullable = true) String mmproj,
        @Schema(nullable = true) ActiveVariant variant,
        @Schema(nullable = true) String quantization,
        @Schema(nullable = true) Double bitsPerWeight,
        @Schema(nullable = true) Long bytes,
        @Schema(nullable = true) Long mmprojBytes,
        @Schema(
                        enumeration = {"fast", "compact", "stock"},
                        description = "What multiplies the weights: the model's own setting, or luq.worker.kernels")
                String kernels,
        @Schema(description = "Tokens of KV cache; 0 takes what the model was trained for, at most 8192")
                int contextSize,
        int slots,
        @Schema(enumeration = {"start", "demand"}) String load,
        @Schema(description = "Whether it stays when another model needs its memory") boolean pinned,
        @Schema(description = "Seconds that it stays after its last request; -1 for ever") double keepAlive,
        @Schema(nullable = true, description = "When its latest request came or ended, in seconds since 1970")
                Long lastUsed,
        @Schema(nullable = true, description = "What serving takes, by the files' headers; null where they do not say")
                MemoryParts memory,
        @Schema(description = "What its processes take now, as measured") long measuredBytes,
        int inFlight,
        long restarts) {

    /** A re-quantized form of a model, from the store. */
    @RegisterForReflection
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    @Schema(name = "Variant")
    record ActiveVariant(
            String id,
            @Schema(description = "What the base model is called") String base,
            long created,
            @Schema(nullable = true) String budget,
            @Schema(description = "Bytes of all files, those shared with other variants included") long bytes,
            @Schema(description = "Layers with fewer bits than the best ones") List<Integer> lowLayers,
            @Schema(description = "The precision of each layer; the nearest in bytes where matrices have types")
                    List<String> layers,
            @Schema(description = "Types of matrices by name; empty where precisions decide")
                    Map<String, String> matrices,
            @Schema(description = "What was measured on these files") Map<String, Object> quality) {

        static ActiveVariant of(Variant variant) {
            return new ActiveVariant(
                    variant.id(),
                    variant.baseName(),
                    variant.created().getEpochSecond(),
                    variant.budget().orElse(null),
                    variant.bytes(),
                    variant.lowLayers(),
                    variant.plan().layers().stream().map(Enum::name).toList(),
                    variant.plan().matrices().entrySet().stream()
                            .collect(Collectors.toMap(
                                    Map.Entry::getKey,
                                    matrix -> matrix.getValue().name(),
                                    (one, other) -> one,
                                    TreeMap::new)),
                    variant.quality());
        }
    }

    static AdminModel of(
            CatalogEntry entry,
            ModelWorker worker,
            boolean isDefault,
            WorkerSettings settings,
            Optional<MemoryEstimate> memory) {
        ModelWorker.Residence residence = worker.residence();
        return new AdminModel(
                entry.id(),
                "model",
                entry.aliases(),
                isDefault,
                entry.registered() ? "registered" : "configured",
                AdminBody.text(worker.state()),
                worker.failure().orElse(null),
                entry.base().model().stream()
                        .map(file -> file.getFileName().toString())
                        .toList(),
                entry.base().mmproj().map(file -> file.getFileName().toString()).orElse(null),
                entry.variant().map(ActiveVariant::of).orElse(null),
                entry.facts().flatMap(CatalogEntry.Facts::quantization).orElse(null),
                entry.facts().map(CatalogEntry.Facts::bitsPerWeight).orElse(null),
                entry.facts().map(CatalogEntry.Facts::bytes).orElse(null),
                entry.facts().map(CatalogEntry.Facts::mmprojBytes).orElse(null),
                settings.kernels().configName(),
                settings.contextSize(),
                settings.slots(),
                entry.settings().load().configName(),
                entry.settings().isPinned(),
                residence.keepAlive().seconds(),
                residence.lastUsed().map(Instant::getEpochSecond).orElse(null),
                memory.map(MemoryParts::of).orElse(null),
                residence.measuredBytes(),
                worker.inFlight(),
                worker.restarts());
    }
}
