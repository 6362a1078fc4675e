package dev.luq.requant.pipeline;

import static dev.luq.Until.until;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.Integration;
import dev.luq.files.DataFolder;
import dev.luq.files.Folders;
import dev.luq.files.JsonFile;
import dev.luq.files.ProcessLock;
import dev.luq.gguf.GgmlType;
import dev.luq.gguf.ModelFiles;
import dev.luq.machine.Kernels;
import dev.luq.memory.ServingShape;
import dev.luq.requant.plan.Plan;
import dev.luq.requant.plan.Planner;
import dev.luq.requant.plan.Precision;
import dev.luq.requant.report.Report;
import dev.luq.requant.spec.JobStatus;
import dev.luq.requant.spec.Method;
import dev.luq.requant.spec.Phase;
import dev.luq.requant.spec.RequantizationSpec;
import dev.luq.requant.spec.RequantizationSpec.Scope;
import dev.luq.requant.spec.Specs;
import dev.luq.requant.store.LayerStore;
import dev.luq.requant.store.Manifest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole jobs on a tiny model. */
@Integration
class RequantizationJobTest {

    @TempDir
    Path folder;

    private Path data;

    @BeforeEach
    void write() {
        Jobs.writeSets(folder);
        data = folder.resolve("data");
    }

    private RequantizationSpec spec(String id, String budget, Method method) {
        return Jobs.spec(folder, id, budget, method, Scope.BRIEF);
    }

    private Report run(RequantizationSpec spec) {
        Jobs.Notes notes = new Jobs.Notes();
        Report report = new RequantizationJob(new DataFolder(data), Jobs.create(data, spec)).run(notes);
        assertEquals(notes.progress.stream().sorted().toList(), notes.progress, "progress never falls");
        return report;
    }

    @Test
    void aJobPublishesAModelThatMeetsItsBudgetAndSaysHowGoodItIs() throws IOException {
        Jobs.Notes notes = new Jobs.Notes();
        Path job = Jobs.create(data, spec("tiny-90", "90%", Method.BEST));
        Report report = new RequantizationJob(new DataFolder(data), job).run(notes);

        Manifest manifest =
                LayerStore.open(data.resolve("store")).manifest("tiny-90").orElseThrow();
        assertEquals(report.published().plan(), manifest.plan());
        assertTrue(report.published().ratioToQ4KM() <= 0.9, report.toString());
        assertEquals("90%", manifest.budget().orElseThrow());
        assertEquals(report.chosen(), manifest.ranking().get("method"));
        assertEquals(JsonFile.JSON.valueToTree(report.quality()), JsonFile.JSON.valueToTree(manifest.quality()));

        assertEquals(
                List.of(
                        Phase.CALIBRATE,
                        Phase.RANK,
                        Phase.PLAN,
                        Phase.QUANTIZE,
                        Phase.ASSEMBLE,
                        Phase.EVALUATE,
                        Phase.PUBLISH),
                notes.phases);
        assertEquals(notes.progress.stream().sorted().toList(), notes.progress, "progress never falls");
        assertEquals(1.0, notes.progress.get(notes.progress.size() - 1));
        assertEquals(
                JobStatus.State.SUCCEEDED, JobStatus.read(job).orElseThrow().state());

        byte[] written = Files.readAllBytes(job.resolve("report.json"));
        assertTrue(Arrays.equals(written, JsonFile.bytes(report)));
        assertTrue(Arrays.equals(
                written,
                JsonFile.bytes(
                        JsonFile.read(job.resolve("report.json"), Report.class).orElseThrow())));
        assertTrue(Files.readString(job.resolve("report.html")).contains("Entropy of the layers"));
        Set<String> tried = report.choices().stream()
                .map(choice -> choice.method().split(" ")[0])
                .collect(Collectors.toSet());
        assertTrue(
                tried.containsAll(Set.of("allocation", "uniform", "error", "entropy", "entropy-normed-input")),
                tried.toString());
        assertEquals(tried.contains("ladder"), tried.contains("kld"), "both need the costs of all layers");
        assertTrue(
                report.choices().stream().allMatch(c -> c.expectedKld().isPresent()),
                report.choices().toString());
        Report.Choice chosen = report.choices().stream()
                .filter(c -> c.method().equals(report.chosen()))
                .findFirst()
                .orElseThrow();
        List<Report.Choice> measured = report.choices().stream()
                .filter(choice -> choice.meanKld().isPresent())
                .toList();
        if (measured.isEmpty()) {
            report.choices()
                    .forEach(other -> assertTrue(
                            chosen.expectedKld().orElseThrow()
                                    <= other.expectedKld().orElseThrow(),
                            report.choices().toString()));
        } else {
            assertTrue(measured.size() > 1, report.choices().toString());
            measured.forEach(other -> assertTrue(
                    chosen.meanKld().orElseThrow() <= other.meanKld().orElseThrow(),
                    report.choices().toString()));
        }
        assertEquals(6, report.quality().exactMatchAll().asked());
    }

    /** The smallest two-level plan has 79.5 % of Q4_K_M's bytes, ladders go lower. */
    @Test
    void theFullReportComparesEverythingThatIsPossible() throws IOException {
        Jobs.Notes notes = new Jobs.Notes();
        Path job = Jobs.create(data, Jobs.spec(folder, "full", "90%", Method.BEST, Scope.FULL));
        Report report = new RequantizationJob(new DataFolder(data), job).run(notes);
        assertTrue(notes.progress.stream().allMatch(Double::isFinite), notes.progress.toString());
        assertEquals(notes.progress.stream().sorted().toList(), notes.progress, "progress never falls");
        assertEquals(Phase.COMPARE, notes.phases.get(notes.phases.size() - 1));
        Report.Comparison comparison = report.comparison().orElseThrow();
        assertEquals(
                List.of(
                        "best 60%",
                        "best 70%",
                        "best 80%",
                        "allocation 60%",
                        "allocation 70%",
                        "allocation 80%",
                        "ladder 60%",
                        "ladder 70%",
                        "ladder 80%",
                        "kld 80%",
                        "error 80%",
                        "entropy 80%",
                        "entropy-normed-input 80%"),
                names(comparison.frontier()));
        assertEquals(
                List.of("Q4_K_M", "IQ3_M", "Q3_K_M", "IQ3_XXS", "Q2_K", "IQ2_M", "IQ2_XXS", "IQ1_M"),
                comparison.uniform().stream().map(Report.Measured::label).toList());
        for (Report.Measured equal : comparison.equalBytes()) {
            Report.Measured uniform = comparison.uniform().stream()
                    .filter(u -> u.label().equals(equal.label()))
                    .findFirst()
                    .orElseThrow();
            assertTrue(equal.weightBytes() <= uniform.weightBytes(), equal + " beside " + uniform);
        }
        assertEquals(
                comparison.uniform().stream().map(Report.Measured::label).toList(),
                comparison.equalBytes().stream()
                        .filter(equal -> equal.series().equals("best"))
                        .map(Report.Measured::label)
                        .toList());
        assertEquals(
                List.of(
                        "lowest entropy first 80%",
                        "highest entropy first 80%",
                        "by depth 80%",
                        "random 1 80%",
                        "random 2 80%",
                        "random 3 80%",
                        "random 4 80%",
                        "random 5 80%"),
                names(comparison.orders()));
        assertEquals(List.of(), comparison.alphas(), "no two-level plan has 70 %");
        assertTrue(Files.readString(job.resolve("report.html")).contains("Uniform types at equal bytes"));
    }

    /** The questions without a picture are longer than any context, and the pictures become damaged on the way. */
    @Test
    void aComparisonThatCannotBeCalibratedIsSaidAndTheOthersStay() throws IOException {
        Path set = folder.resolve("calibration/set.jsonl");
        Files.writeString(
                set,
                Files.readString(set)
                        .replace("null, \"question\": \"", "null, \"question\": \"" + "why ".repeat(4200)));
        Path job = Jobs.create(data, Jobs.spec(folder, "pictures", "90%", Method.ERROR, Scope.FULL));
        Path written = job.resolve("report.json");
        CompletableFuture<Void> ordersOnThePage = new CompletableFuture<>();
        Jobs.Notes damaging = new Jobs.Notes() {
            private long seen;

            @Override
            public synchronized boolean cancelled() {
                long length = written.toFile().length();
                if (length != seen) {
                    seen = length;
                    Optional<Report.Comparison> comparison =
                            JsonFile.read(written, Report.class).flatMap(Report::comparison);
                    if (!ordersOnThePage.isDone()
                            && comparison.isPresent()
                            && !comparison.get().orders().isEmpty()) {
                        damage("a.png");
                        damage("b.png");
                        ordersOnThePage.complete(null);
                    }
                }
                return false;
            }

            private void damage(String picture) {
                Path file = set.resolveSibling(picture);
                try {
                    Path damaged =
                            Files.write(set.resolveSibling("damaged"), Arrays.copyOf(Files.readAllBytes(file), 60));
                    Files.move(damaged, file, StandardCopyOption.ATOMIC_MOVE);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
        };
        new RequantizationJob(new DataFolder(data), job).run(damaging);
        assertTrue(ordersOnThePage.isDone(), "the page has each section when it is whole");

        Report.Comparison comparison =
                JsonFile.read(written, Report.class).flatMap(Report::comparison).orElseThrow();
        assertEquals(10, comparison.frontier().size());
        assertEquals(8, comparison.orders().size());
        List<String> unmeasured = comparison.unmeasured();
        for (String why : unmeasured) {
            assertTrue(
                    why.matches("text only, seed \\d: .*fits into the context.*|multimodal, seed \\d: .*damaged.*"),
                    why);
        }
        long texts =
                unmeasured.stream().filter(why -> why.startsWith("text only")).count();
        assertEquals(3, texts, unmeasured.toString());
        // The first one may have read its pictures before they were damaged.
        assertTrue(unmeasured.size() - texts >= 2, unmeasured.toString());
    }

    @Test
    void aMethodThatTheCalibrationIsTooShortForIsMissingAndTheOthersAreCompared() throws IOException {
        Path set = folder.resolve("calibration/set.jsonl");
        List<String> texts = Files.readAllLines(set).stream()
                .filter(line -> line.contains("null"))
                .limit(3)
                .toList();
        Files.write(set, texts);
        Report.Comparison comparison = run(Jobs.spec(folder, "short", "90%", Method.ERROR, Scope.SIZES))
                .comparison()
                .orElseThrow();
        assertEquals(1, comparison.unmeasured().size(), comparison.unmeasured().toString());
        assertTrue(comparison.unmeasured().get(0).matches("entropy: .* calibrate with more examples.*"));
        assertEquals(
                Set.of("error"),
                comparison.equalBytes().stream().map(Report.Measured::series).collect(Collectors.toSet()));
    }

    private static List<String> names(List<Report.Measured> measured) {
        return measured.stream().map(m -> m.series() + " " + m.label()).toList();
    }

    @Test
    void anAllocationIsServedAsItWasMeasured() throws IOException {
        Report report = run(spec("by-matrix", "70%", Method.ALLOCATION));
        assertEquals("allocation", report.chosen());
        assertTrue(report.published().ratioToQ4KM() <= 0.7);
        LayerStore store = LayerStore.open(data.resolve("store"));
        Manifest manifest = store.manifest("by-matrix").orElseThrow();
        ModelFiles files = ModelFiles.of(store.files(manifest).splits());
        assertEquals(report.published().plan(), manifest.plan());
        assertEquals(report.published().weightBytes(), files.tensorBytes());
        manifest.plan()
                .matrices()
                .forEach((name, type) ->
                        assertEquals(type, files.tensor(name).orElseThrow().type(), name));
        List<String> groups = report.sensitivities().orElseThrow().stream()
                .map(Report.Sensitivity::group)
                .toList();
        assertTrue(
                groups.containsAll(List.of("token_embd.weight", "output.weight", "ffn_down 1-1")), groups.toString());
        assertEquals(groups.size(), Set.copyOf(groups).size());
        report.sensitivities()
                .orElseThrow()
                .forEach(group -> assertTrue(group.error() > 0 && group.kld() >= 0, group.toString()));
        assertTrue(
                Files.readString(data.resolve("jobs/by-matrix/report.html")).contains("Sensitivity of the matrices"));
        assertTrue(report.rankings().isEmpty() && report.costs().isEmpty(), "no layer was ranked");
    }

    @Test
    void aUniformModelIsTheLargestMixOfLlamaThatFits() throws IOException {
        Report report = run(spec("uniform", "90%", Method.UNIFORM));
        assertTrue(report.chosen().startsWith("uniform "), report.chosen());
        assertTrue(report.published().ratioToQ4KM() <= 0.9);
        LayerStore store = LayerStore.open(data.resolve("store"));
        ModelFiles files = ModelFiles.of(
                store.files(store.manifest("uniform").orElseThrow()).splits());
        assertEquals(report.published().weightBytes(), files.tensorBytes());
        report.types()
                .matrices()
                .forEach((type, count) -> assertEquals(
                        (long) count,
                        report.published().plan().matrices().keySet().stream()
                                .filter(name -> files.tensor(name).orElseThrow().type() == type)
                                .count()));
        assertEquals(0, report.types().narrow());
    }

    @Test
    void aSearchPublishesTheNearestOfAllThatItMeasured() throws IOException {
        RequantizationSpec plain = spec("searched", "70%", Method.ALLOCATION);
        RequantizationSpec searching = new RequantizationSpec(
                plain.version(),
                plain.source(),
                plain.sets(),
                plain.budget(),
                plain.speed(),
                plain.method(),
                plain.levels(),
                plain.calibration(),
                new RequantizationSpec.Search(1),
                plain.serving(),
                plain.threads(),
                plain.output());
        Report report = run(searching);
        assertEquals(
                List.of("allocation", "search"),
                report.choices().stream().map(Report.Choice::method).toList());
        double least = report.choices().stream()
                .mapToDouble(choice -> choice.meanKld().orElseThrow())
                .min()
                .orElseThrow();
        Report.Choice chosen = report.choices().stream()
                .filter(choice -> choice.method().equals(report.chosen()))
                .findFirst()
                .orElseThrow();
        assertEquals(least, chosen.meanKld().orElseThrow());
        assertTrue(report.why().startsWith("Of "), report.why());
        assertTrue(report.published().ratioToQ4KM() <= 0.7);
        assertTrue(Files.exists(data.resolve("jobs/searched/search.json")));
    }

    @Test
    void aSpeedIsMeasuredAndReachedWithinTheBudget() throws IOException {
        Report report = run(Specs.at(5, spec("fast-enough", "80%", Method.ALLOCATION), "80%"));
        Report.Speed speed = report.speed().orElseThrow();
        assertEquals(5, speed.wanted());
        assertTrue(speed.measured() >= 0.98 * 5 && speed.expected() >= 5, speed.toString());
        assertTrue(report.published().ratioToQ4KM() <= 0.8);
        assertTrue(
                Files.readString(data.resolve("jobs/fast-enough/report.html")).contains("tokens per second, measured"));
        assertEquals(
                report,
                run(Specs.at(5, spec("fast-enough", "80%", Method.ALLOCATION), "80%")),
                "what was chosen stays");
    }

    @Test
    void speedsOfAComparisonStayWhenTheJobGoesOn() throws IOException {
        RequantizationSpec spec = Specs.at(5, Jobs.spec(folder, "speeds", "90%", Method.ERROR, Scope.SIZES), "90%");
        Report first = run(spec);
        assertTrue(first.comparison().orElseThrow().equalBytes().stream()
                .allMatch(measured -> measured.tokensPerSecond().isPresent()));
        assertEquals(first, run(spec));
    }

    @Test
    void aSpeedThatNoPlanReachesIsRefusedWithTheFastest() {
        for (Method method : List.of(Method.ALLOCATION, Method.BEST)) {
            RequantizationException.Failed e = assertThrows(
                    RequantizationException.Failed.class,
                    () -> run(Specs.at(1e6, spec("too-fast-" + method.text(), "80%", method), "80%")));
            assertTrue(e.getMessage().startsWith("1000000.0 tokens per second are too many"), e.getMessage());
            assertTrue(e.getMessage().contains("expected to generate"), e.getMessage());
        }
    }

    @Test
    void sizesAloneCompareTheMethodAskedForWithThePapersAndTheUniformTypes() throws IOException {
        Path job = Jobs.create(data, Jobs.spec(folder, "sizes", "90%", Method.ERROR, Scope.SIZES));
        Report report = new RequantizationJob(new DataFolder(data), job).run(new Jobs.Notes());
        Report.Comparison comparison = report.comparison().orElseThrow();
        assertEquals(8, comparison.uniform().size());
        assertEquals(
                Set.of("error", "entropy", "highest entropy first"),
                comparison.equalBytes().stream().map(Report.Measured::series).collect(Collectors.toSet()));
        assertEquals(List.of(), comparison.frontier());
        assertEquals(List.of(), comparison.orders());
        assertTrue(Files.readString(job.resolve("report.html")).contains("KL divergence by size"));
    }

    @Test
    void anAllocationMeetsALargestDivergenceToo() {
        Report all = run(spec("matrices-80", "80%", Method.ALLOCATION));
        double kld = all.quality().all().meanKld();
        Report report = run(spec("matrices-kld", "kld:" + (kld + 10), Method.ALLOCATION));
        assertTrue(report.quality().all().meanKld() <= kld + 10);
        assertTrue(report.published().weightBytes() < all.published().weightBytes());
    }

    @Test
    void aSecondBudgetCalibratesAndRanksNothing() throws IOException {
        run(spec("first", "95%", Method.LADDER));
        Path calibration = data.resolve("cache/calibration");
        long before = newest(calibration);
        Path job = Jobs.create(data, spec("second", "90%", Method.LADDER));
        Jobs.Notes notes = new Jobs.Notes();
        Report report = new RequantizationJob(new DataFolder(data), job).run(notes);
        assertTrue(report.published().ratioToQ4KM() <= 0.9);
        assertEquals(before, newest(calibration), "the calibration was only read");
        assertNotEquals(List.of(), notes.progress);
    }

    @Test
    void examplesSeePicturesAsTheModelWillWhenItIsServed() throws IOException {
        RequantizationSpec large = spec("large-pictures", "90%", Method.LADDER);
        RequantizationSpec small = new RequantizationSpec(
                large.version(),
                large.source(),
                large.sets(),
                large.budget(),
                large.speed(),
                large.method(),
                large.levels(),
                large.calibration(),
                large.search(),
                new ServingShape(512, 128, 1, 1, 8, Kernels.STOCK),
                large.threads(),
                new RequantizationSpec.Output("small-pictures", large.output().created(), Scope.BRIEF));
        int tokens = imageTokens(run(large));
        assertTrue(imageTokens(run(small)) < tokens);
        assertEquals(4, count(data.resolve("cache/outputs")), "the base model's of both sets, for both bounds");
    }

    private static int imageTokens(Report report) {
        return JsonFile.JSON
                .valueToTree(report)
                .at("/provenance/calibration/tokens/image")
                .asInt();
    }

    private static long count(Path folder) throws IOException {
        try (var files = Files.list(folder)) {
            return files.count();
        }
    }

    private static long newest(Path folder) throws IOException {
        try (var files = Files.walk(folder)) {
            return files.filter(Files::isRegularFile)
                    .mapToLong(file -> file.toFile().lastModified())
                    .max()
                    .orElseThrow();
        }
    }

    @Test
    void aJobThatWasDoneIsDoneAgainAtOnceWithTheSameBytes() throws IOException {
        RequantizationSpec spec = spec("twice", "90%", Method.ENTROPY);
        Path job = Jobs.create(data, spec);
        run(spec);
        byte[] first = Files.readAllBytes(job.resolve("report.json"));
        run(spec);
        assertTrue(Arrays.equals(first, Files.readAllBytes(job.resolve("report.json"))));
    }

    /** Its results are of a build whose kernels compute other last digits: the cache counts no more. */
    private void madeByAnotherBuild(String id) throws IOException {
        Folders.delete(data.resolve("cache"));
        for (Path file : List.of(manifest(id), data.resolve("jobs/" + id + "/report.json"))) {
            JsonNode tree = JsonFile.JSON.readTree(file.toFile());
            ObjectNode all = (ObjectNode) tree.at("/quality/all");
            all.put("meanKld", Math.nextUp(all.get("meanKld").asDouble()));
            Files.write(file, JsonFile.bytes(tree));
        }
    }

    private Path manifest(String id) {
        return data.resolve("store/manifests/" + id + ".json");
    }

    private Jobs.Notes goOn(String id) {
        Jobs.Notes notes = new Jobs.Notes();
        new RequantizationJob(new DataFolder(data), data.resolve("jobs/" + id)).run(notes);
        return notes;
    }

    @Test
    void ofAPublishedModelAnotherBuildDoesWhatIsLeft() throws IOException {
        Path job = Jobs.create(data, Jobs.spec(folder, "upgraded", "90%", Method.ERROR, Scope.SIZES));
        Jobs.Notes interrupted = new Jobs.Notes();
        interrupted.cancelAt = Phase.COMPARE;
        assertThrows(RequantizationException.Cancelled.class, () -> new RequantizationJob(new DataFolder(data), job)
                .run(interrupted));
        madeByAnotherBuild("upgraded");
        byte[] published = Files.readAllBytes(manifest("upgraded"));
        Report before = JsonFile.read(job.resolve("report.json"), Report.class).orElseThrow();
        assertEquals(Optional.empty(), before.comparison());

        assertEquals(List.of(Phase.CALIBRATE, Phase.RANK, Phase.COMPARE), goOn("upgraded").phases);
        assertArrayEquals(published, Files.readAllBytes(manifest("upgraded")));
        Report after = JsonFile.read(job.resolve("report.json"), Report.class).orElseThrow();
        assertEquals(8, after.comparison().orElseThrow().uniform().size());
        assertEquals(before.with(after.comparison().orElseThrow()), after);
        assertEquals(List.of(Phase.CALIBRATE), goOn("upgraded").phases, "nothing is left");
    }

    @Test
    void whatWasDoneByAnotherBuildStays() throws IOException {
        run(spec("done", "90%", Method.ENTROPY));
        madeByAnotherBuild("done");
        Map<String, String> before = Jobs.results(data);
        Files.delete(data.resolve("jobs/done/report.html"));
        assertEquals(List.of(Phase.CALIBRATE), goOn("done").phases);
        assertEquals(before, Jobs.results(data));
        assertFalse(Files.exists(data.resolve("cache/calibration")), "nothing was computed");
    }

    @Test
    void aReportThatWasLostIsWrittenWithWhatIsPublished() throws IOException {
        run(spec("unreported", "90%", Method.ENTROPY));
        madeByAnotherBuild("unreported");
        byte[] published = Files.readAllBytes(manifest("unreported"));
        Path file = data.resolve("jobs/unreported/report.json");
        Report before = JsonFile.read(file, Report.class).orElseThrow();
        Files.delete(file);
        assertFalse(goOn("unreported").phases.contains(Phase.QUANTIZE));
        assertArrayEquals(published, Files.readAllBytes(manifest("unreported")));
        assertEquals(before, JsonFile.read(file, Report.class).orElseThrow());
    }

    @Test
    void aLayerThatWasLostIsMadeAgain() throws IOException {
        run(spec("damaged", "90%", Method.ENTROPY));
        LayerStore store = LayerStore.open(data.resolve("store"));
        Manifest manifest = store.manifest("damaged").orElseThrow();
        Files.delete(store.path(manifest.entries().get(1).key()));
        madeByAnotherBuild("damaged");
        byte[] published = Files.readAllBytes(manifest("damaged"));
        goOn("damaged");
        assertArrayEquals(published, Files.readAllBytes(manifest("damaged")), "this build makes the same bytes");
        store.verify(manifest);
    }

    @Test
    void aLayerThatWasLostAndIsNotTheSameAnyMoreIsPublishedAnew() throws IOException {
        run(spec("damaged", "90%", Method.ENTROPY));
        LayerStore store = LayerStore.open(data.resolve("store"));
        Manifest manifest = store.manifest("damaged").orElseThrow();
        String key = manifest.entries().get(1).key().hex();
        String another = new StringBuilder(key).reverse().toString();
        madeByAnotherBuild("damaged");
        Files.writeString(
                manifest("damaged"), Files.readString(manifest("damaged")).replace(key, another));
        goOn("damaged");
        assertEquals(Optional.of(manifest), store.manifest("damaged"), "as this build makes it");
        store.verify(manifest);
    }

    @Test
    void aNameThatAnotherModelHasIsRefusedBeforeTheWork() {
        run(spec("taken", "90%", Method.ENTROPY));
        Path other = Jobs.create(data.resolveSibling("other"), spec("taken", "80%", Method.ENTROPY));
        Jobs.Notes notes = new Jobs.Notes();
        RequantizationException failure = assertThrows(
                RequantizationException.Failed.class,
                () -> new RequantizationJob(new DataFolder(data), other).run(notes));
        assertEquals(
                "There is another model named taken already; choose another name for this one.", failure.getMessage());
        assertEquals(List.of(Phase.CALIBRATE), notes.phases);
    }

    @Test
    void whatWasMadeOfOtherSetsIsNotMadeAgainUnderItsName() throws IOException {
        RequantizationSpec spec = spec("changed", "90%", Method.ENTROPY);
        run(spec);
        Files.writeString(
                folder.resolve("calibration/more.jsonl"),
                "{\"image\": null, \"question\": \"One more?\", \"answer\": \"yes\"}\n");
        RequantizationException failure = assertThrows(RequantizationException.Failed.class, () -> run(spec));
        assertTrue(failure.getMessage().contains("the sets have changed since changed was made"), failure.getMessage());
    }

    @Test
    void aDecisionForOtherSetsIsMadeAnewUntilItsModelIsPublished() throws IOException {
        RequantizationSpec spec = spec("decided", "90%", Method.ENTROPY);
        Path job = Jobs.create(data, spec);
        Jobs.Notes notes = new Jobs.Notes();
        notes.cancelAt = Phase.EVALUATE;
        assertThrows(RequantizationException.Cancelled.class, () -> new RequantizationJob(new DataFolder(data), job)
                .run(notes));
        byte[] before = Files.readAllBytes(job.resolve("plan.json"));
        Files.writeString(
                folder.resolve("calibration/more.jsonl"),
                "{\"image\": null, \"question\": \"One more?\", \"answer\": \"yes\"}\n");
        run(spec);
        assertFalse(Arrays.equals(before, Files.readAllBytes(job.resolve("plan.json"))));
    }

    @Test
    void promptsAreMadeWithTheTemplateThatTheModelIsServedWith() throws IOException {
        RequantizationSpec own = spec("own", "90%", Method.ENTROPY);
        RequantizationSpec other = withTemplate(spec("vicuna", "90%", Method.ENTROPY), "vicuna");
        double kld = run(own).quality().all().meanKld();
        assertNotEquals(kld, run(other).quality().all().meanKld());
        RequantizationException failure = assertThrows(
                RequantizationException.Failed.class,
                () -> run(withTemplate(spec("unknown", "90%", Method.ENTROPY), "vicunia")));
        assertTrue(failure.getMessage().startsWith("there is no chat template vicunia"), failure.getMessage());
    }

    private static RequantizationSpec withTemplate(RequantizationSpec spec, String template) {
        RequantizationSpec.Source source = spec.source();
        return Specs.of(
                new RequantizationSpec.Source(source.modelId(), source.model(), source.mmproj(), Optional.of(template)),
                spec);
    }

    @Test
    void aCancelledJobSaysSoAndGoesOn() {
        for (Phase phase : List.of(Phase.CALIBRATE, Phase.RANK, Phase.EVALUATE)) {
            Path job = Jobs.create(data, spec("cancelled", "90%", Method.LADDER));
            Jobs.Notes notes = new Jobs.Notes();
            notes.cancelAt = phase;
            assertThrows(
                    RequantizationException.Cancelled.class,
                    () -> new RequantizationJob(new DataFolder(data), job).run(notes),
                    phase.name());
            assertFalse(Thread.interrupted(), "nothing is left of the cancelling");
            assertEquals(
                    JobStatus.State.CANCELLED, JobStatus.read(job).orElseThrow().state());
        }
        assertEquals("ladder", run(spec("cancelled", "90%", Method.LADDER)).chosen());
    }

    @Test
    void jobsWithOneDataFolderTakeTurns() throws Exception {
        try (ProcessLock other =
                CacheLock.take(new DataFolder(data), new JobProgress(share -> {}, () -> false), () -> {})) {
            Jobs.Notes notes = new Jobs.Notes();
            Path job = Jobs.create(data, spec("waits", "90%", Method.ERROR));
            CompletableFuture<?> waiting =
                    CompletableFuture.runAsync(() -> new RequantizationJob(new DataFolder(data), job).run(notes));
            until("a word of why it waits", () -> !notes.messages.isEmpty());
            assertEquals(List.of("Waiting for another job with this data folder."), notes.messages);
            assertEquals(List.of(), notes.phases, "waiting is no part of the calibration");
            notes.cancel = true;
            ExecutionException end = assertThrows(ExecutionException.class, waiting::get);
            assertEquals(RequantizationException.Cancelled.class, end.getCause().getClass());
        }
        assertEquals("error", run(spec("waits", "90%", Method.ERROR)).chosen());
    }

    @Test
    void aLargestDivergenceIsMetByTheSmallestPlanThatMeetsIt() {
        Report all = run(spec("smallest", "100%", Method.KLD));
        double kld = all.quality().all().meanKld();
        Report report = run(spec("kld", "kld:" + (kld + 10), Method.KLD));
        assertTrue(report.quality().all().meanKld() <= kld + 10);
        assertEquals(
                0, Collections.frequency(report.published().plan().layers(), Precision.Q4_K_M), "all layers go low");
        RequantizationException failure = assertThrows(
                RequantizationException.Failed.class, () -> run(spec("impossible", "kld:0.0000000001", Method.KLD)));
        assertTrue(failure.getMessage().contains("No plan is good enough for kld:0.0000000001"), failure.getMessage());
    }

    /** Two precisions end at Q4_K_M, an allocation at Q8_0. */
    @Test
    void whereOneMethodReachesADivergenceTheOthersNeedNot() {
        double most = run(spec("most", "100%", Method.KLD)).quality().all().meanKld();
        assertThrows(RequantizationException.Failed.class, () -> run(spec("two", "kld:" + most / 3, Method.KLD)));
        Report report = run(spec("any", "kld:" + most / 3, Method.BEST));
        assertTrue(report.quality().all().meanKld() <= most / 3);
    }

    /** With the projector as it is all layers low would be too much: only a projector of Q8_0 leaves enough. */
    @Test
    void aBudgetForEverythingIsMetWithASmallerProjectorWhereThatIsBetter() throws IOException {
        RequantizationSpec spec = spec("everything", "1GiB", Method.ERROR);
        Planner planner = new Planner(
                ModelFiles.of(spec.source().modelPaths()),
                Optional.of(ModelFiles.of(List.of(spec.source().mmprojPath().orElseThrow()))),
                spec.serving());
        Plan lowest = Plan.uniform(2, Precision.IQ3_S, Precision.Q4_K_M, Precision.F16);
        long tooSmall = planner.candidate(lowest).memory().total() - 1;

        Report report = run(spec("everything", tooSmall + "B", Method.ERROR));

        assertEquals("error, projector Q8_0", report.chosen());
        assertEquals(Precision.Q8_0, report.published().plan().mmproj());
        assertTrue(report.published().memory().total() <= tooSmall);
        Manifest manifest =
                LayerStore.open(data.resolve("store")).manifest("everything").orElseThrow();
        Path projector =
                LayerStore.open(data.resolve("store")).files(manifest).mmproj().orElseThrow();
        assertTrue(ModelFiles.read(projector).first().tensors().stream()
                .anyMatch(tensor -> tensor.type() == GgmlType.Q8_0));

        RequantizationSpec same = spec("same", "weights:" + report.published().weightBytes() + "B", Method.ERROR);
        Report asItIs = run(same);
        assertEquals(
                report.published().plan().layers(), asItIs.published().plan().layers());
        assertNotEquals(
                asItIs.quality().image().meanKld(),
                report.quality().image().meanKld(),
                "the projector is measured too");
        assertEquals(asItIs.quality().text().meanKld(), report.quality().text().meanKld(), 1e-9);
    }

    @Test
    void aBudgetForEverythingThatIsLargeChangesNothing() {
        Report report = run(spec("large", "1GiB", Method.ERROR));
        assertEquals("error", report.chosen());
        assertEquals(
                Plan.uniform(2, Precision.Q4_K_M, Precision.Q4_K_M, Precision.F16),
                report.published().plan());
    }

    @Test
    void aLeastShareOfRightAnswersThatNothingReachesIsRefused() {
        RequantizationException failure = assertThrows(
                RequantizationException.Failed.class, () -> run(spec("accurate", "accuracy:0.6", Method.ERROR)));
        assertTrue(
                failure.getMessage()
                        .startsWith("No plan is good enough for accuracy:0.6: the largest one reaches 0.0000."),
                failure.getMessage());
    }

    @Test
    void aBudgetThatNothingMeetsIsRefusedWithTheSmallestPossible() {
        RequantizationException failure =
                assertThrows(RequantizationException.Failed.class, () -> run(spec("tiny", "10%", Method.BEST)));
        assertTrue(failure.getMessage().contains("the smallest possible is"), failure.getMessage());
        JobStatus status = JobStatus.read(data.resolve("jobs/tiny")).orElseThrow();
        assertEquals(JobStatus.State.FAILED, status.state());
        assertEquals(Optional.of(failure.getMessage()), status.error());
    }

    @Test
    void whatIsWrongWithTheModelIsSaidWithoutPaths() throws IOException {
        Path broken = Files.write(folder.resolve("broken.gguf"), new byte[] {'G', 'G', 'U', 'F', 3, 0, 0, 0});
        RequantizationSpec bad = Specs.of(
                new RequantizationSpec.Source("tiny", List.of(broken.toString()), Optional.empty(), Optional.empty()),
                spec("broken", "90%", Method.ENTROPY));
        RequantizationException failure = assertThrows(RequantizationException.Failed.class, () -> run(bad));
        assertFalse(failure.getMessage().contains(folder.toString()), failure.getMessage());
    }
}
