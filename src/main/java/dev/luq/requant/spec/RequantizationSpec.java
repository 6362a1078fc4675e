package dev.luq.requant.spec;

import dev.luq.files.JsonFile;
import dev.luq.memory.ServingShape;
import dev.luq.requant.plan.Budget;
import dev.luq.requant.plan.PlanException;
import dev.luq.requant.plan.Planner;
import dev.luq.requant.plan.Precision;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.nio.file.Path;
import java.time.Instant;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * What a re-quantization is asked to do: {@code spec.json} of its job folder. Never changes once written.
 *
 * @param version of this format
 * @param source the base model
 * @param sets what it is calibrated and evaluated with
 * @param budget what the result may take or how good it must be
 * @param speed tokens per second of one answer alone that the result generates at least, on the machine of the job;
 *     absent in older descriptions: none is asked for
 * @param method how the plan is found
 * @param levels the precisions of two-level plans
 * @param calibration settings of calibration and rankings
 * @param search for a nearer plan than the methods have; absent in older descriptions: none
 * @param serving how the result will be served, for its memory
 * @param threads compute threads; 0 takes the processors available
 * @param output the result
 */
@RegisterForReflection
public record RequantizationSpec(
        int version,
        Source source,
        Sets sets,
        Budget budget,
        Optional<Double> speed,
        Method method,
        Levels levels,
        Calibration calibration,
        Search search,
        ServingShape serving,
        int threads,
        Output output) {

    /** The version that this code writes and reads. */
    public static final int VERSION = 1;

    private static final String FILE = "spec.json";
    private static final int LONGEST_NAME = 100;
    private static final int MOST_TOKENS_PER_SECOND = 1_000_000;
    private static final Pattern MANIFEST_ID =
            Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0," + (LONGEST_NAME - 1) + "}");
    private static final String NOT_IN_NAMES = "[^A-Za-z0-9._-]";

    /** @throws SpecException.Invalid when a value is missing or out of its range */
    public RequantizationSpec {
        require(
                version == VERSION,
                "The job description is of version " + version + "; this program knows " + VERSION + ".");
        require(
                source != null
                        && sets != null
                        && budget != null
                        && method != null
                        && levels != null
                        && calibration != null
                        && serving != null
                        && output != null,
                "The job description is incomplete.");
        require(threads >= 0, "The number of threads is 0 or more.");
        search = search == null ? Search.NONE : search;
        speed = speed == null ? Optional.empty() : speed;
        require(
                speed.isEmpty() || speed.get() > 0 && speed.get() <= MOST_TOKENS_PER_SECOND,
                "A speed is more than 0 and at most " + MOST_TOKENS_PER_SECOND + " tokens per second.");
        require(speed.isEmpty() || budget.isOfSize(), "A speed goes with a budget of size.");
        require(
                search.equals(Search.NONE)
                        || budget.isOfSize() && (method == Method.BEST || method == Method.ALLOCATION),
                "A search needs a budget of size and the method best or allocation.");
        require(search.equals(Search.NONE) || speed.isEmpty(), "A search does not go with a speed.");
    }

    /**
     * The base model.
     *
     * @param modelId its id in the catalogue
     * @param model paths of the GGUF, or of its split files in order; F16, BF16 or Q8_0
     * @param mmproj path of the projector
     * @param chatTemplate that prompts are made with in place of the model's own, as it is served: Jinja, or the name of
     *     one that llama.cpp has; absent in older descriptions: the model's own
     */
    @RegisterForReflection
    public record Source(String modelId, List<String> model, Optional<String> mmproj, Optional<String> chatTemplate) {
        public Source {
            require(modelId != null && !modelId.isBlank(), "The model needs an id.");
            require(model != null && !model.isEmpty(), "The model needs a file.");
            model = List.copyOf(model);
            mmproj = mmproj == null ? Optional.empty() : mmproj;
            chatTemplate = chatTemplate == null ? Optional.empty() : chatTemplate;
        }

        public List<Path> modelPaths() {
            return model.stream().map(Path::of).toList();
        }

        public Optional<Path> mmprojPath() {
            return mmproj.map(Path::of);
        }
    }

    /**
     * Folders in the form of {@code dev.luq.requant.data}.
     *
     * @param calibration its path
     * @param evaluation its path; held out: nothing is chosen by it but what the budget says about accuracy and KLD
     * @param evaluationExamples examples of it used at most, evenly spread; 0 for all
     */
    @RegisterForReflection
    public record Sets(String calibration, String evaluation, int evaluationExamples) {
        public Sets {
            require(calibration != null && evaluation != null, "A calibration and an evaluation set are needed.");
            require(evaluationExamples >= 0, "The number of evaluation examples is 0 (all) or more.");
        }
    }

    /**
     * The precisions of a two-level plan.
     *
     * @param low of the layers that go low
     * @param high of the other layers and of the tensors outside the layers
     * @param mmproj of the projector: F16 keeps it as it is, unless the budget is for everything and Q8_0 leaves more of it
     *     to the layers
     */
    @RegisterForReflection
    public record Levels(Precision low, Precision high, Precision mmproj) {
        public static final Levels DEFAULT = new Levels(Precision.IQ1_M, Precision.Q4_K_M, Precision.F16);

        public Levels {
            require(
                    low != null && high != null && low.compareTo(high) < 0,
                    "The low precision must be smaller than the high one.");
            require(mmproj == Precision.F16 || mmproj == Precision.Q8_0, "A projector is F16 or Q8_0.");
        }
    }

    /**
     * @param alpha weight of examples with images in the importance matrix, 0 (text only) to 1 (images only)
     * @param seed of everything that is sampled
     * @param examples of the calibration set used at most; 0 for all
     * @param tuning examples of the calibration set that are held out of the calibration for measuring layers and
     *     choosing between methods, at most; a fifth of the set at most
     */
    @RegisterForReflection
    public record Calibration(double alpha, long seed, int examples, int tuning) {
        public static final Calibration DEFAULT = new Calibration(0.75, 1, 256, 48);

        public Calibration {
            require(alpha >= 0 && alpha <= 1, "Alpha is between 0 and 1.");
            require(examples >= 0 && tuning >= 1, "Numbers of examples are positive.");
        }
    }

    /**
     * A search among plans by matrix, each measured on the tuning examples.
     *
     * @param seconds that it may take; 0 for none
     */
    @RegisterForReflection
    public record Search(int seconds) {
        public static final Search NONE = new Search(0);

        /** A day. */
        private static final int MOST_SECONDS = 24 * 60 * 60;

        public Search {
            require(
                    seconds >= 0 && seconds <= MOST_SECONDS,
                    "The seconds of a search are between 0 and " + MOST_SECONDS + ".");
        }
    }

    /** How much is reported. */
    @RegisterForReflection
    public enum Scope {
        /** The published model beside its base. */
        BRIEF,
        /** Also the methods asked for and the paper's beside the uniform types, at equal bytes. */
        SIZES,
        /** Also every method and the uniform types at several sizes, ablations, alpha and seeds: minutes of measuring. */
        FULL
    }

    /**
     * @param manifestId the id under which the result is published
     * @param created the manifest's time; fixed, so that an interrupted job ends with the same bytes
     */
    @RegisterForReflection
    public record Output(String manifestId, Instant created, Scope report) {
        public Output {
            require(
                    manifestId != null && MANIFEST_ID.matcher(manifestId).matches(),
                    "The result's name must be 1 to 100"
                            + " letters, digits, dots, dashes and underscores, and begin with a letter or digit.");
            require(created != null && report != null, "The job description is incomplete.");
        }

        /**
         * A name for a result that was given none.
         *
         * @param model its id or short name; the end of a long one is left out
         * @param tail tells the result from others of this model and budget
         */
        public static String name(String model, Budget budget, String tail) {
            String end = ("-" + budget.text().replace("%", "pct") + "-" + tail).replaceAll(NOT_IN_NAMES, "-");
            String head = model.replaceAll(NOT_IN_NAMES, "-");
            return head.substring(0, Math.min(head.length(), LONGEST_NAME - end.length())) + end;
        }
    }

    /** A specification with the defaults. */
    public static RequantizationSpec of(Source source, Sets sets, Budget budget, ServingShape serving, Output output) {
        return new RequantizationSpec(
                VERSION,
                source,
                sets,
                budget,
                Optional.empty(),
                Method.BEST,
                Levels.DEFAULT,
                Calibration.DEFAULT,
                Search.NONE,
                serving,
                0,
                output);
    }

    /** What the projector may be: also Q8_0 where its bytes count, after what was asked for. */
    public List<Precision> projectors() {
        boolean counts = budget instanceof Budget.Deployment && source.mmproj().isPresent();
        return counts && levels.mmproj() != Precision.Q8_0
                ? List.of(levels.mmproj(), Precision.Q8_0)
                : List.of(levels.mmproj());
    }

    /**
     * Whether any plan can be as small as the budget, which needs no measurement.
     *
     * @param planner of the base model and its projector
     * @throws PlanException.Impossible when none can
     * @throws PlanException.UnsupportedModel the method, or the report, is not for such a model
     */
    public void requirePossible(Planner planner) {
        if (planner.hasExperts()) {
            requirePossibleWithExperts();
        }
        switch (method) {
            case ALLOCATION, BEST -> planner.requireAllocation(budget, projectors());
            case UNIFORM -> planner.requireMix(budget, projectors());
            default -> {
                Set<Precision> precisions = EnumSet.of(levels.low());
                if (method == Method.LADDER) {
                    precisions.addAll(Precision.LADDER);
                }
                planner.requirePossible(budget, precisions, levels.high(), projectors());
            }
        }
    }

    private void requirePossibleWithExperts() {
        if (method != Method.ALLOCATION && method != Method.UNIFORM) {
            throw new PlanException.UnsupportedModel(
                    "The model is a mixture of experts, whose layers cannot be ranked: what goes into each expert is not"
                            + " measured. Ask for the method allocation or uniform.");
        }
        if (output.report() != Scope.BRIEF) {
            throw new PlanException.UnsupportedModel(
                    "The model is a mixture of experts: what goes into each expert is not measured, and a comparison"
                            + " takes rankings and types that need it. Ask for the brief report, without a comparison.");
        }
    }

    /** The same specification with a result of another name and time. */
    public RequantizationSpec named(String manifestId, Instant created) {
        return with(serving, threads, manifestId, created);
    }

    /** The same without threads, which change a result only where it is to reach a speed. */
    public RequantizationSpec onAnyProcessors() {
        return with(speed.isPresent() ? serving : serving.withThreads(1), 0, output.manifestId(), output.created());
    }

    /**
     * Whether another one asks for the same result, whatever its name: threads change how long it takes, and a job may go on
     * where there are others.
     */
    public boolean asksTheSameAs(RequantizationSpec other) {
        return with(
                        serving.withThreads(other.serving.threads()),
                        other.threads,
                        other.output.manifestId(),
                        other.output.created())
                .equals(other);
    }

    private RequantizationSpec with(ServingShape served, int threadsOfJob, String manifestId, Instant created) {
        return new RequantizationSpec(
                version,
                source,
                sets,
                budget,
                speed,
                method,
                levels,
                calibration,
                search,
                served,
                threadsOfJob,
                new Output(manifestId, created, output.report()));
    }

    /** Writes {@code spec.json}, atomically. */
    public void write(Path jobFolder) {
        JsonFile.write(jobFolder.resolve(FILE), this);
    }

    /** @throws SpecException.Unreadable there is none or it is damaged */
    public static RequantizationSpec read(Path jobFolder) {
        return SpecFiles.read(jobFolder.resolve(FILE), RequantizationSpec.class)
                .orElseThrow(() -> new SpecException.Unreadable("The job has no description (" + FILE + ").", null));
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new SpecException.Invalid(message);
        }
    }
}
