package dev.luq.admin;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import dev.luq.files.DamagedFileException;
import dev.luq.files.JsonFile;
import dev.luq.jobs.Job;
import dev.luq.jobs.JobState;
import dev.luq.jobs.Jobs;
import dev.luq.requant.plan.Ranking;
import dev.luq.requant.plan.RankingMethod;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jboss.logging.Logger;

/** The orders of layers that finished re-quantizations found, from their reports. */
@Singleton
class MeasuredRankings {

    private static final Logger LOG = Logger.getLogger(MeasuredRankings.class);
    private static final String REPORT = "report.json";
    /** What was measured on the model's output first, then what is inferred from it. */
    private static final List<RankingMethod> PREFERENCE =
            List.of(RankingMethod.KLD, RankingMethod.ERROR, RankingMethod.ENTROPY, RankingMethod.ENTROPY_NORMED_INPUT);

    private final Jobs jobs;

    /** The part of a report that is of use here. */
    @RegisterForReflection
    @JsonIgnoreProperties(ignoreUnknown = true)
    record Rankings(List<Ranking> rankings) {}

    @Inject
    MeasuredRankings(Jobs jobs) {
        this.jobs = jobs;
    }

    /**
     * The best order of the latest re-quantization of a model that has one.
     *
     * @param layers of the model; orders of another number of layers are of other files
     */
    Optional<Ranking> of(String modelId, int layers) {
        return jobs.list().stream()
                .filter(job -> job.modelId().equals(modelId) && job.state() == JobState.SUCCEEDED)
                .map(job -> best(job, layers))
                .flatMap(Optional::stream)
                .findFirst();
    }

    private Optional<Ranking> best(Job job, int layers) {
        List<Ranking> found =
                read(job).filter(ranking -> ranking.order().size() == layers).toList();
        return PREFERENCE.stream()
                .flatMap(method -> found.stream().filter(ranking -> ranking.method() == method))
                .findFirst();
    }

    private Stream<Ranking> read(Job job) {
        try {
            return JsonFile.read(jobs.folder(job).resolve(REPORT), Rankings.class).map(Rankings::rankings).stream()
                    .flatMap(List::stream);
        } catch (DamagedFileException | UncheckedIOException e) {
            LOG.warnf(e, "The report of re-quantization %s cannot be read", job.id());
            return Stream.empty();
        }
    }
}
