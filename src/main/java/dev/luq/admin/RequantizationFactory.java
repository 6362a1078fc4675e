package dev.luq.admin;

import dev.luq.catalog.Catalog;
import dev.luq.catalog.CatalogEntry;
import dev.luq.catalog.CatalogException;
import dev.luq.catalog.VariantStore;
import dev.luq.datasets.CalibrationSets;
import dev.luq.datasets.SetException;
import dev.luq.files.JsonFile;
import dev.luq.files.Sha256;
import dev.luq.gguf.CheckedModel;
import dev.luq.http.errors.ApiError;
import dev.luq.http.errors.ApiException.InvalidRequest;
import dev.luq.http.errors.ApiException.ModelNotFound;
import dev.luq.http.errors.ApiException.Refused;
import dev.luq.jobs.Job;
import dev.luq.jobs.Jobs;
import dev.luq.jobs.JobsConfig;
import dev.luq.requant.plan.Budget;
import dev.luq.requant.plan.Planner;
import dev.luq.requant.spec.Method;
import dev.luq.requant.spec.RequantizationSpec;
import dev.luq.serving.ServedShape;
import dev.luq.serving.SwapMode;
import dev.luq.serving.WorkerConfig;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HexFormat;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;

/** Turns what a client asks for into a job. */
@Singleton
class RequantizationFactory {

    private static final Pattern KEY = Pattern.compile("[\\x21-\\x7e]{1,255}");
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyyMMdd-HHmmssSSS").withZone(ZoneOffset.UTC);

    private final Catalog catalog;
    private final CalibrationSets sets;
    private final VariantStore variants;
    private final WorkerConfig workerConfig;
    private final JobsConfig jobsConfig;
    private final Jobs jobs;

    @Inject
    RequantizationFactory(
            Catalog catalog,
            CalibrationSets sets,
            VariantStore variants,
            WorkerConfig workerConfig,
            JobsConfig jobsConfig,
            Jobs jobs) {
        this.catalog = catalog;
        this.sets = sets;
        this.variants = variants;
        this.workerConfig = workerConfig;
        this.jobsConfig = jobsConfig;
        this.jobs = jobs;
    }

    /** @throws InvalidRequest when the key is malformed */
    static Optional<Job.Idempotency> idempotency(String key, NewRequantization request) {
        if (key == null) {
            return Optional.empty();
        }
        if (!KEY.matcher(key).matches()) {
            throw new InvalidRequest("Idempotency-Key", "Idempotency-Key must be 1 to 255 visible ASCII characters");
        }
        return Optional.of(new Job.Idempotency(key, Sha256.hex(JsonFile.bytes(request))));
    }

    Jobs.Request job(NewRequantization request, Optional<Job.Idempotency> idempotency) {
        String modelId = AdminBody.required(request.model(), "model");
        CatalogEntry entry = model(modelId);
        CheckedModel base = ServedShape.base(entry);
        Budget budget = Budget.parse(AdminBody.required(request.budget(), "budget"));
        Instant now = jobs.nextCreated();
        String id = "rq-" + TIME.format(now) + "-"
                + HexFormat.of().toHexDigits((short) ThreadLocalRandom.current().nextInt());
        RequantizationSpec.Calibration calibration = RequantizationSpec.Calibration.DEFAULT;
        RequantizationSpec spec = new RequantizationSpec(
                RequantizationSpec.VERSION,
                new RequantizationSpec.Source(
                        entry.id(),
                        base.files().paths().stream().map(Path::toString).toList(),
                        entry.base().mmproj().map(Path::toString),
                        entry.settings().chatTemplate()),
                new RequantizationSpec.Sets(
                        set(request.calibrationSet(), "calibration_set"),
                        set(request.evaluationSet(), "evaluation_set"),
                        or(request.evaluationExamples(), 0)),
                budget,
                Optional.ofNullable(request.tokensPerSecond()),
                request.method() == null ? Method.BEST : Method.parse(request.method()),
                AdminBody.levels(request.low(), request.high(), request.mmproj()),
                new RequantizationSpec.Calibration(
                        or(request.alpha(), calibration.alpha()),
                        or(request.seed(), calibration.seed()),
                        or(request.calibrationExamples(), calibration.examples()),
                        calibration.tuning()),
                new RequantizationSpec.Search(or(request.searchSeconds(), 0)),
                ServedShape.of(workerConfig, entry, base),
                jobsConfig.threads(),
                new RequantizationSpec.Output(
                        variant(request, budget, id),
                        now,
                        AdminBody.oneOf(
                                RequantizationSpec.Scope.class,
                                request.report(),
                                RequantizationSpec.Scope.BRIEF,
                                "report")));
        spec.requirePossible(new Planner(base.files(), base.projector(), spec.serving()));
        return new Jobs.Request(id, spec, idempotency, activation(request));
    }

    /** @throws InvalidRequest when it says how to activate what is not to be activated */
    private static Optional<SwapMode> activation(NewRequantization request) {
        SwapMode swap = AdminBody.oneOf(SwapMode.class, request.swap(), SwapMode.AUTO, "swap");
        if (Boolean.TRUE.equals(request.activate())) {
            return Optional.of(swap);
        }
        if (request.swap() != null) {
            throw new InvalidRequest("swap", "swap is how the result is activated: set activate, or leave swap out");
        }
        return Optional.empty();
    }

    /** A model that a field of the request names: not what its path addresses, so that the code is another. */
    private CatalogEntry model(String id) {
        try {
            return catalog.get(id);
        } catch (CatalogException.NotFound e) {
            throw new ModelNotFound(e.getMessage());
        }
    }

    private String set(String name, String param) {
        try {
            return sets.get(AdminBody.required(name, param)).folder();
        } catch (SetException.NotFound e) {
            throw new InvalidRequest(param, e.getMessage() + ". GET " + SetsAdmin.PATH + " lists them");
        } catch (SetException.Invalid e) {
            throw new InvalidRequest(param, e.getMessage());
        }
    }

    /** @throws Refused when another variant has the name that was asked for */
    private String variant(NewRequantization request, Budget budget, String jobId) {
        if (request.variant() == null) {
            return RequantizationSpec.Output.name(request.model(), budget, jobId.substring(jobId.indexOf('-') + 1));
        }
        try {
            variants.find(request.variant());
        } catch (CatalogException.NotFound e) {
            return request.variant();
        } catch (CatalogException.InvalidModel e) {
            // there is one, though a damaged one
        }
        throw new Refused(new ApiError(
                409,
                "conflict",
                "There is a variant with the id " + request.variant() + " already",
                "variant",
                OptionalInt.empty()));
    }

    private static <T> T or(T value, T otherwise) {
        return value == null ? otherwise : value;
    }
}
