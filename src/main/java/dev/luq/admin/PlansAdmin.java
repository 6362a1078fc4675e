package dev.luq.admin;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import dev.luq.catalog.Catalog;
import dev.luq.catalog.CatalogEntry;
import dev.luq.gguf.CheckedModel;
import dev.luq.http.access.Role;
import dev.luq.http.errors.ApiError;
import dev.luq.http.errors.ApiException.InvalidRequest;
import dev.luq.machine.Kernels;
import dev.luq.memory.ServingShape;
import dev.luq.requant.plan.Budget;
import dev.luq.requant.plan.Candidate;
import dev.luq.requant.plan.Planner;
import dev.luq.requant.plan.Ranking;
import dev.luq.requant.plan.RankingMethod;
import dev.luq.requant.spec.RequantizationSpec.Levels;
import dev.luq.serving.ServedShape;
import dev.luq.serving.WorkerConfig;
import io.quarkus.runtime.annotations.RegisterForReflection;
import io.smallrye.common.annotation.Blocking;
import jakarta.annotation.security.RolesAllowed;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.io.IOException;
import java.io.InputStream;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;

/** What re-quantizations would take, from the headers of the base files alone. */
@Path("/admin/v1/plans")
@RolesAllowed(Role.ADMIN_NAME)
@Produces(MediaType.APPLICATION_JSON)
@Singleton
@TranslatesFailures
@Blocking
public class PlansAdmin {

    private final Catalog catalog;
    private final WorkerConfig config;
    private final MeasuredRankings measured;

    @Inject
    PlansAdmin(Catalog catalog, WorkerConfig config, MeasuredRankings measured) {
        this.catalog = catalog;
        this.config = config;
        this.measured = measured;
    }

    @POST
    @Consumes(MediaType.APPLICATION_JSON)
    @Operation(
            operationId = "plan",
            summary = "Sizes and memory of all two-level plans, without doing anything",
            description = "Candidate k has the first k layers of the order low: of the order that is given, or the one"
                    + " that the latest re-quantization of the model measured. Which layers go low changes sizes by"
                    + " little, so that an order by depth stands in for a ranking that is not measured yet.")
    @RequestBody(required = true, content = @Content(schema = @Schema(implementation = NewPlan.class)))
    @APIResponse(
            responseCode = "200",
            description = "All candidates, and the one that the budget chooses",
            content = @Content(schema = @Schema(implementation = Plans.class)))
    @APIResponse(
            responseCode = "4XX",
            description = "Refused; budget_impossible says the smallest possible budget",
            content = @Content(schema = @Schema(implementation = ApiError.Body.class)))
    public Plans plan(InputStream body) throws IOException {
        NewPlan request = AdminBody.read(body, NewPlan.class);
        String id = AdminBody.required(request.model(), "model");
        CatalogEntry entry = catalog.get(id);
        CheckedModel base = ServedShape.base(entry);
        ServingShape shape = shape(request, ServedShape.of(config, entry, base));
        Planner planner = new Planner(base.files(), base.projector(), shape);
        Levels levels = AdminBody.levels(request.low(), request.high(), request.mmproj());
        Optional<Ranking> known = request.order() != null ? Optional.empty() : measured.of(id, planner.layerCount());
        Ranking ranking = known.orElseGet(() -> ranking(request.order(), planner.layerCount()));
        List<Candidate> candidates =
                planner.twoLevel(ranking, levels.low(), levels.high(), levels.high(), levels.mmproj());
        Integer chosen = request.budget() == null
                ? null
                : candidates.indexOf(planner.choose(candidates, ofSize(Budget.parse(request.budget()))));
        return new Plans(
                "plans",
                id,
                levels.low().name(),
                levels.high().name(),
                levels.mmproj().name(),
                ranking.order(),
                request.order() != null ? "given" : AdminBody.text(ranking.method()),
                shape.contextSize(),
                AdminBody.text(shape.kernels()),
                planner.q4KMBytes(),
                chosen,
                IntStream.range(0, candidates.size())
                        .mapToObj(k -> PlanCandidate.of(k, candidates.get(k)))
                        .toList());
    }

    private static Budget ofSize(Budget budget) {
        if (!budget.isOfSize()) {
            throw new InvalidRequest(
                    "budget", "A budget of quality needs measurements: create a re-quantization with it");
        }
        return budget;
    }

    private static ServingShape shape(NewPlan request, ServingShape served) {
        int context = Optional.ofNullable(request.contextSize()).orElse(served.contextSize());
        if (context < 1 || context > 1 << 24) {
            throw new InvalidRequest("context_size", "context_size must be 1 to 16777216");
        }
        return new ServingShape(
                context,
                Math.min(served.batchSize(), context),
                served.slots(),
                served.threads(),
                Math.min(served.imageTokens(), context),
                AdminBody.oneOf(Kernels.class, request.kernels(), served.kernels(), "kernels"),
                served.kv(),
                served.promptCacheBytes(),
                served.outputs());
    }

    private static Ranking ranking(List<Integer> order, int layers) {
        List<Double> scores = Collections.nCopies(layers, 0.0);
        if (order == null) {
            return Ranking.ascending(RankingMethod.DEPTH, scores, Map.of());
        }
        try {
            return new Ranking(RankingMethod.DEPTH, order, scores, Map.of());
        } catch (IllegalArgumentException | NullPointerException e) {
            throw new InvalidRequest(
                    "order", "order must name each of the model's " + layers + " layers, from 0, once");
        }
    }

    /** What is to be planned. */
    @RegisterForReflection
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    @Schema(name = "NewPlan")
    public record NewPlan(
            @Schema(required = true) String model,
            @Schema(nullable = true, description = "Of size; without one nothing is chosen") String budget,
            @Schema(nullable = true, defaultValue = "IQ1_M") String low,
            @Schema(nullable = true, defaultValue = "Q4_K_M") String high,
            @Schema(
                            nullable = true,
                            enumeration = {"F16", "Q8_0"})
                    String mmproj,
            @Schema(nullable = true, description = "Tokens of KV cache; as configured unless given")
                    Integer contextSize,
            @Schema(
                            nullable = true,
                            enumeration = {"fast", "compact", "stock"},
                            description = "What multiplies the weights,"
                                    + " which decides how they lie in memory; as configured unless given")
                    String kernels,
            @Schema(
                            nullable = true,
                            description = "Layers, the first to go low first; as measured, or by depth, unless given")
                    List<Integer> order) {}

    /** All two-level plans of an order. */
    @RegisterForReflection
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    @Schema(name = "Plans")
    public record Plans(
            String object,
            String model,
            String low,
            String high,
            String mmproj,
            List<Integer> order,
            @Schema(
                            description = "Where the order comes from",
                            enumeration = {"given", "kld", "error", "entropy", "entropy_normed_input", "depth"})
                    String ranking,
            int contextSize,
            String kernels,
            @JsonProperty("q4_k_m_bytes") @Schema(description = "Bytes of the weights as Q4_K_M, which ratios refer to")
                    long q4KMBytes,
            @Schema(nullable = true, description = "Index of the largest candidate within the budget") Integer chosen,
            List<PlanCandidate> candidates) {}

    /** A plan and what it takes. */
    @RegisterForReflection
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    @Schema(name = "PlanCandidate")
    public record PlanCandidate(
            @Schema(description = "How many layers are low") int lowLayers,
            long weightBytes,
            double bitsPerWeight,
            @JsonProperty("ratio_to_q4_k_m") double ratioToQ4KM,
            MemoryParts memory) {

        static PlanCandidate of(int lowLayers, Candidate candidate) {
            return new PlanCandidate(
                    lowLayers,
                    candidate.weightBytes(),
                    candidate.bitsPerWeight(),
                    candidate.ratioToQ4KM(),
                    MemoryParts.of(candidate.memory()));
        }
    }
}
