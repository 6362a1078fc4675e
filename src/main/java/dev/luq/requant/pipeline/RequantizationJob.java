package dev.luq.requant.pipeline;

import dev.luq.files.DamagedFileException;
import dev.luq.files.DataFolder;
import dev.luq.files.JsonFile;
import dev.luq.files.ProcessLock;
import dev.luq.llama.Llama;
import dev.luq.requant.measure.Quality;
import dev.luq.requant.plan.Plan;
import dev.luq.requant.plan.Planner;
import dev.luq.requant.quantize.AssembledModel;
import dev.luq.requant.report.Page;
import dev.luq.requant.report.Report;
import dev.luq.requant.spec.JobStatus;
import dev.luq.requant.spec.Phase;
import dev.luq.requant.spec.RequantizationSpec;
import dev.luq.requant.spec.RequantizationSpec.Scope;
import dev.luq.requant.spec.SpecException;
import dev.luq.requant.store.LayerStore;
import dev.luq.requant.store.Manifest;
import dev.luq.requant.store.StoreLease;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * One job, from {@code spec.json} in its folder to a published manifest and a report. Ended at any moment, by cancel or
 * kill, {@link #run} of another instance goes on, and what it writes is byte for byte the same; where a speed is asked for,
 * from the decision for a plan on. Another build of the kernels may compute other last digits: what is published stays as it
 * is, and only what is left is done. Who runs it holds {@link #LOCK}; several jobs may share a data folder.
 */
public final class RequantizationJob {

    /** File names in the job folder. */
    public static final String REPORT = "report.json";

    public static final String PAGE = "report.html";

    /** The {@link ProcessLock} of whoever works in the job folder. */
    public static final String LOCK = "process.lock";

    /** Raised when the same spec leads to another result. */
    public static final String RECIPE = "3";

    private static final long STATUS_INTERVAL_NANOS = 500_000_000;

    /** Expected durations in relation to each other, from runs on the demo model, SmolLM2-135M and a model of 1.5B. */
    private static final Map<Phase, Double> WEIGHTS = Map.of(
            Phase.CALIBRATE,
            20.0,
            Phase.RANK,
            20.0,
            Phase.PLAN,
            5.0,
            Phase.QUANTIZE,
            10.0,
            Phase.ASSEMBLE,
            0.5,
            Phase.EVALUATE,
            35.0,
            Phase.PUBLISH,
            0.5);

    /** Of methods that measure what answers become with parts of the model at fewer bits. */
    private static final double MEASURED_RANK_WEIGHT = 160;

    private static final double COMPARE_WEIGHT = 800;

    /** Hears of the job and can end it; called on the thread that runs it. */
    public interface Listener {

        /** A phase begins. */
        void phase(Phase phase);

        /**
         * @param overall share of the whole job that is done, 0 to 1
         * @param secondsLeft estimate; empty as long as nothing is known
         */
        void progress(double overall, OptionalLong secondsLeft);

        /** Something worth a line of a log. */
        void message(String text);

        /** Whether to end the job; asked several times a second. */
        boolean cancelled();
    }

    private final DataFolder data;
    private final Path jobFolder;
    private Listener listener;
    private ProgressMeter meter;
    private Phase phase = Phase.CALIBRATE;
    private long lastStatus;

    /**
     * @param data with store and cache; made if missing
     * @param jobFolder holds spec.json
     */
    public RequantizationJob(DataFolder data, Path jobFolder) {
        this.data = data;
        this.jobFolder = jobFolder;
    }

    /**
     * Runs the job to its end.
     *
     * @return the report, which is in the job folder too
     * @throws RequantizationException.Cancelled the listener ended it
     * @throws RequantizationException.Failed it cannot be done; the message says why
     */
    public Report run(Listener listener) {
        this.listener = listener;
        try {
            RequantizationSpec spec = RequantizationSpec.read(jobFolder);
            Optional<JobStatus> earlier = earlierStatus();
            meter = new ProgressMeter(
                    weights(spec),
                    earlier.map(JobStatus::phaseSeconds).orElse(Map.of()),
                    spec.search().seconds() > 0 || spec.speed().isPresent() ? Set.of(Phase.PLAN) : Set.of(),
                    System::nanoTime);
            Report report = run(
                    spec,
                    earlier.filter(status -> status.state() == JobStatus.State.SUCCEEDED)
                            .isPresent());
            meter.finish();
            status(JobStatus.State.SUCCEEDED, Optional.empty());
            return report;
        } catch (RuntimeException | IOException e) {
            RequantizationException failure = RequantizationException.of(e);
            try {
                if (meter != null) {
                    status(
                            failure instanceof RequantizationException.Cancelled
                                    ? JobStatus.State.CANCELLED
                                    : JobStatus.State.FAILED,
                            Optional.of(failure.getMessage()));
                }
            } catch (UncheckedIOException notWritten) {
                // Of a full disk the failure speaks already.
                failure.addSuppressed(notWritten);
            }
            throw failure;
        }
    }

    private static Map<Phase, Double> weights(RequantizationSpec spec) {
        Map<Phase, Double> weights = new EnumMap<>(WEIGHTS);
        if (spec.method().measuresAnswers()) {
            weights.put(Phase.RANK, MEASURED_RANK_WEIGHT);
        }
        if (spec.output().report() != Scope.BRIEF) {
            weights.put(Phase.COMPARE, COMPARE_WEIGHT);
        }
        return weights;
    }

    /** @param ended whether an earlier run came to the job's end */
    private Report run(RequantizationSpec spec, boolean ended) throws IOException {
        Llama.init(line -> {});
        LayerStore store = LayerStore.open(data.store());
        Cache cache = new Cache(data.cache(), Llama.arithmetic());
        boolean compares = spec.output().report() != Scope.BRIEF;
        try (ProcessLock alone = CacheLock.take(
                        data, unreported(), () -> listener.message("Waiting for another job with this data folder."));
                StoreLease lease = store.build()) {
            JobProgress calibrating = begin(Phase.CALIBRATE);
            JobInputs inputs = JobInputs.read(spec, store, calibrating);
            Planner planner = new Planner(inputs.model(), inputs.mmproj(), spec.serving());
            spec.requirePossible(planner);
            Optional<ChosenPlan> made = decision(spec, inputs, store);
            Optional<Report> reported = whole(spec, store).flatMap(this::reported);
            if (reported.isPresent() && (ended || !compares)) {
                write(reported.get());
                return reported.get();
            }
            Threads threads = Threads.of(spec.threads(), inputs.model().parameters());
            try (PlanEvaluator evaluator = new PlanEvaluator(inputs, store, cache, threads, jobFolder)) {
                Calibrations calibrations = new Calibrations(inputs, cache, threads);
                CalibrationRun main = calibrations.main(spec, calibrating);
                leftOut(
                        main.calibration().skipped().size(),
                        main.calibration().examples().size(),
                        "calibration");
                Rankings rankings = Rankings.main(inputs, cache, evaluator, main, spec.levels(), threads);
                AllocationCosts allocation =
                        new AllocationCosts(inputs, cache, evaluator, main.matrix(), planner, threads);
                Function<Planner, PlanChooser> choosers = by ->
                        new PlanChooser(spec, inputs, evaluator, rankings, allocation, main.matrix(), by, jobFolder);
                PlanChooser chooser = choosers.apply(planner);
                Optional<PaceKeeper> keeper =
                        spec.speed().map(wanted -> new PaceKeeper(planner, spec.serving(), inputs, wanted));
                made.flatMap(ChosenPlan::pace).ifPresent(pace -> keeper.ifPresent(found -> found.expect(pace)));
                JobProgress ranking = begin(Phase.RANK);
                chooser.rank(ranking);
                Report report;
                if (reported.isPresent()) {
                    report = reported.get();
                } else {
                    JobProgress planning = begin(Phase.PLAN);
                    ChosenPlan decision = made.orElseGet(() -> decide(
                            inputs, () -> keeper.map(pace -> pace.decide(choosers, evaluator, main.matrix(), planning))
                                    .orElseGet(() -> chooser.decide(planning))));
                    report = publish(
                            spec,
                            inputs,
                            store,
                            evaluator,
                            main.matrix(),
                            new Reporter(spec, inputs, main, rankings, allocation, planner),
                            decision);
                }
                if (!compares) {
                    return report;
                }
                Report full = report.with(new Comparisons(
                                spec,
                                inputs,
                                evaluator,
                                calibrations,
                                main,
                                chooser,
                                rankings,
                                keeper.flatMap(PaceKeeper::paced))
                        .run(begin(Phase.COMPARE), partial -> write(report.with(partial))));
                write(full);
                return full;
            }
        }
    }

    /** What is published already keeps its entries and its quality; what of it was lost is made anew. */
    private Report publish(
            RequantizationSpec spec,
            JobInputs inputs,
            LayerStore store,
            PlanEvaluator evaluator,
            KeyedImatrix matrix,
            Reporter reporter,
            ChosenPlan decision)
            throws IOException {
        Plan plan = decision.candidate().plan();
        Optional<AssembledModel> assembled = Optional.empty();
        Optional<Manifest> published = whole(spec, store);
        if (published.isEmpty()) {
            AssembledModel model = evaluator.assemble(plan, matrix, begin(Phase.QUANTIZE));
            begin(Phase.ASSEMBLE);
            store.files(manifest(spec, inputs, decision, model, Map.of(), Map.of()));
            assembled = Optional.of(model);
            published = whole(spec, store);
        }
        JobProgress evaluating = begin(Phase.EVALUATE);
        Quality quality = published.isPresent()
                ? quality(published.get())
                : evaluator.quality(plan, matrix, inputs.evaluation(), true, evaluating.part(0, 0.6));
        leftOut(quality.skipped(), inputs.evaluation().examples().size(), "evaluation");
        Quality baseQuality = evaluator.baseQuality(inputs.evaluation(), evaluating.part(0.6, 1));
        begin(Phase.PUBLISH);
        Report report = reporter.brief(decision, quality, baseQuality);
        if (published.isEmpty()) {
            if (store.manifest(spec.output().manifestId()).isPresent()) {
                // Ours, with lost entries that this build does not make bit for bit.
                store.delete(spec.output().manifestId());
            }
            store.publish(manifest(
                    spec, inputs, decision, assembled.orElseThrow(), report.provenance(), JsonFile.plain(quality)));
            listener.message("Published " + spec.output().manifestId() + ".");
        }
        write(report);
        return report;
    }

    /** What is published under the result's name, if nothing of it was lost. */
    private static Optional<Manifest> whole(RequantizationSpec spec, LayerStore store) throws IOException {
        Optional<Manifest> published = store.manifest(spec.output().manifestId());
        return published.isPresent() && store.isWhole(published.get()) ? published : Optional.empty();
    }

    /** The report of an earlier run; empty when it was lost or is of another model. */
    private Optional<Report> reported(Manifest published) {
        try {
            return JsonFile.read(jobFolder.resolve(REPORT), Report.class)
                    .filter(report -> report.published().plan().equals(published.plan())
                            && report.quality().equals(quality(published)));
        } catch (DamagedFileException e) {
            return Optional.empty();
        }
    }

    private static Quality quality(Manifest published) {
        return JsonFile.JSON.convertValue(published.quality(), Quality.class);
    }

    private void leftOut(int count, int of, String set) {
        if (count > 0) {
            listener.message(count + " of " + of + " examples of the " + set
                    + " are too long, pictures included, and are left out.");
        }
    }

    /**
     * The decision that an earlier run made: it stands, also when a cache was emptied since.
     *
     * @throws RequantizationException.Failed the result's name is another model's, or this job published one of another
     *     model or other sets
     */
    private Optional<ChosenPlan> decision(RequantizationSpec spec, JobInputs inputs, LayerStore store)
            throws IOException {
        Optional<ChosenPlan> made = JsonFile.read(jobFolder.resolve(ChosenPlan.FILE), ChosenPlan.class);
        Optional<ChosenPlan> valid =
                made.filter(plan -> plan.basis().isEmpty() || plan.basis().get().equals(inputs.all()));
        Optional<Manifest> published = store.manifest(spec.output().manifestId());
        if (published.isPresent()) {
            boolean ours = made.isPresent()
                    && published.get().plan().equals(made.get().candidate().plan());
            if (!ours) {
                throw new RequantizationException.Failed(
                        "There is another model named " + spec.output().manifestId()
                                + " already; choose another name for this one.",
                        null);
            }
            if (valid.isEmpty()) {
                throw new RequantizationException.Failed(
                        "The base model or the sets have changed since "
                                + spec.output().manifestId()
                                + " was made of them; choose another name for what is made now.",
                        null);
            }
        }
        return valid;
    }

    private ChosenPlan decide(JobInputs inputs, Supplier<ChosenPlan> chooser) {
        ChosenPlan decision = chooser.get().of(inputs.all());
        JsonFile.write(jobFolder.resolve(ChosenPlan.FILE), decision);
        return decision;
    }

    private static Manifest manifest(
            RequantizationSpec spec,
            JobInputs inputs,
            ChosenPlan decision,
            AssembledModel assembled,
            Map<String, Object> provenance,
            Map<String, Object> quality) {
        Map<String, Object> ranking = new LinkedHashMap<>(provenance);
        ranking.put("method", decision.chosen());
        return new Manifest(
                Manifest.VERSION,
                spec.output().manifestId(),
                inputs.name(),
                inputs.fingerprint().id(),
                spec.output().created(),
                decision.candidate().plan(),
                Optional.of(spec.budget().text()),
                assembled.entries(),
                assembled.mmprojEntry(),
                ranking,
                quality);
    }

    private void write(Report report) {
        JsonFile.write(jobFolder.resolve(REPORT), report);
        JsonFile.write(jobFolder.resolve(PAGE), Page.html(report).getBytes(StandardCharsets.UTF_8));
    }

    private Optional<JobStatus> earlierStatus() {
        try {
            return JobStatus.read(jobFolder);
        } catch (SpecException e) {
            return Optional.empty();
        }
    }

    private JobProgress begin(Phase next) {
        unreported().check();
        phase = next;
        meter.begin(next);
        listener.phase(next);
        status(JobStatus.State.RUNNING, Optional.empty());
        return new JobProgress(this::progress, listener::cancelled);
    }

    private JobProgress unreported() {
        return new JobProgress(share -> {}, listener::cancelled);
    }

    private void progress(double share) {
        meter.progress(share);
        if (System.nanoTime() - lastStatus >= STATUS_INTERVAL_NANOS) {
            status(JobStatus.State.RUNNING, Optional.empty());
        }
    }

    private void status(JobStatus.State state, Optional<String> error) {
        lastStatus = System.nanoTime();
        double overall = state == JobStatus.State.SUCCEEDED ? 1 : meter.overall();
        listener.progress(overall, meter.secondsLeft());
        new JobStatus(state, phase, overall, meter.secondsLeft(), meter.seconds(), error).write(jobFolder);
    }
}
