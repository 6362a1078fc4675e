package dev.luq.admin;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.quarkus.runtime.annotations.RegisterForReflection;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/** What a client asks for; what it leaves out has a default. */
@RegisterForReflection
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@Schema(name = "NewRequantization")
record NewRequantization(
        @Schema(required = true, description = "Id of a model whose base is F16, BF16 or Q8_0") String model,
        @Schema(
                        required = true,
                        examples = "60%",
                        description = "60% of Q4_K_M's weights, 3GiB for everything,"
                                + " weights:800MiB, 2.5bpw, kld:0.05 or accuracy:0.9")
                String budget,
        @Schema(
                        nullable = true,
                        minimum = "0",
                        exclusiveMinimum = true,
                        description = "What one answer alone is generated at, at least, on this machine, measured while"
                                + " the job runs; with a budget of size")
                Double tokensPerSecond,
        @Schema(required = true, description = "Name of the set it is calibrated with") String calibrationSet,
        @Schema(required = true, description = "Name of the set it is measured with") String evaluationSet,
        @Schema(
                        nullable = true,
                        enumeration = {
                            "best",
                            "allocation",
                            "ladder",
                            "uniform",
                            "entropy",
                            "entropy-normed-input",
                            "error",
                            "kld"
                        })
                String method,
        @Schema(nullable = true, description = "Precision of the layers that go low", defaultValue = "IQ1_M")
                String low,
        @Schema(nullable = true, description = "Precision of the others", defaultValue = "Q4_K_M") String high,
        @Schema(
                        nullable = true,
                        description = "Precision of the projector",
                        enumeration = {"F16", "Q8_0"})
                String mmproj,
        @Schema(nullable = true, description = "Weight of examples with images, 0 to 1") Double alpha,
        @Schema(nullable = true) Long seed,
        @Schema(nullable = true, description = "Calibration examples used at most; 0 for all")
                Integer calibrationExamples,
        @Schema(nullable = true, description = "Evaluation examples used at most; 0 for all")
                Integer evaluationExamples,
        @Schema(
                        nullable = true,
                        minimum = "0",
                        maximum = "86400",
                        defaultValue = "0",
                        description = "How long plans nearer to the base than those of the methods are searched for;"
                                + " with a budget of size, the method best or allocation, and no tokens_per_second")
                Integer searchSeconds,
        @Schema(nullable = true, description = "Id of the variant that is made; made up unless given") String variant,
        @Schema(
                        nullable = true,
                        enumeration = {"brief", "sizes", "full"})
                String report,
        @Schema(nullable = true, description = "Whether the result is served afterwards") Boolean activate,
        @Schema(
                        nullable = true,
                        enumeration = {"auto", "overlap", "pause"})
                String swap) {}
