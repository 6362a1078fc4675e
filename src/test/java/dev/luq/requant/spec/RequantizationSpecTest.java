package dev.luq.requant.spec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.gguf.LayeredModel;
import dev.luq.memory.ServingShape;
import dev.luq.requant.plan.Budget;
import dev.luq.requant.plan.Models;
import dev.luq.requant.plan.PlanException;
import dev.luq.requant.plan.Planner;
import dev.luq.requant.plan.Precision;
import dev.luq.requant.spec.RequantizationSpec.Calibration;
import dev.luq.requant.spec.RequantizationSpec.Levels;
import dev.luq.requant.spec.RequantizationSpec.Output;
import dev.luq.requant.spec.RequantizationSpec.Scope;
import dev.luq.requant.spec.RequantizationSpec.Search;
import dev.luq.requant.spec.RequantizationSpec.Sets;
import dev.luq.requant.spec.RequantizationSpec.Source;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RequantizationSpecTest {

    @TempDir
    Path folder;

    private static RequantizationSpec spec() {
        return RequantizationSpec.of(
                new Source("demo", List.of("demo.gguf"), Optional.of("mmproj.gguf"), Optional.empty()),
                new Sets("calibration", "evaluation", 0),
                Budget.parse("60%"),
                new ServingShape(2048, 128, 4, 2),
                new Output("demo-60", Instant.parse("2026-03-04T05:06:07.123456Z"), Scope.BRIEF));
    }

    @Test
    void comesBackFromItsFolderAsItWas() {
        spec().write(folder);
        assertEquals(spec(), RequantizationSpec.read(folder));
    }

    @Test
    void aResultWithoutANameGetsOneOfModelAndBudget() {
        assertEquals("demo-60pct-1a2b3c", Output.name("demo", Budget.parse("60%"), "1a2b3c"));
        assertEquals("my-model-kld-0.05-x", Output.name("my model", Budget.parse("kld:0.05"), "x"));
        String longest = Output.name("m".repeat(200), Budget.parse("2.5bpw"), "x");
        assertEquals("m".repeat(91) + "-2.5bpw-x", longest);
        assertEquals(longest, spec().named(longest, Instant.EPOCH).output().manifestId());
    }

    @Test
    void whatCannotBeDoneWithExpertsIsRefusedAtOnce() {
        Planner experts = planner(Models.experts(1, 1024, 512, 8));
        spec().requirePossible(planner(Models.decoder(1, 1024, 256, 4096, 8192, false)));
        PlanException ranked =
                assertThrows(PlanException.UnsupportedModel.class, () -> spec().requirePossible(experts));
        assertTrue(ranked.getMessage().contains("Ask for the method allocation"), ranked.getMessage());
        for (Method method : List.of(Method.ALLOCATION, Method.UNIFORM)) {
            Specs.by(method, "90%", Scope.BRIEF, spec()).requirePossible(experts);
            for (Scope comparing : List.of(Scope.SIZES, Scope.FULL)) {
                PlanException compared = assertThrows(
                        PlanException.UnsupportedModel.class,
                        () -> Specs.by(method, "90%", comparing, spec()).requirePossible(experts));
                assertTrue(compared.getMessage().contains("Ask for the brief report"), compared.getMessage());
            }
            RequantizationSpec small = Specs.by(method, "45%", Scope.BRIEF, spec());
            assertThrows(PlanException.Impossible.class, () -> small.requirePossible(experts), method.text());
        }
    }

    private static Planner planner(LayeredModel model) {
        return new Planner(model, Optional.empty(), new ServingShape(512, 128, 1, 1));
    }

    @Test
    void isTheSameOnAnyProcessors() {
        RequantizationSpec many = spec().onAnyProcessors();
        assertEquals(many, many.onAnyProcessors());
        assertEquals(0, many.threads());
        assertEquals(1, many.serving().threads());
        assertTrue(spec().asksTheSameAs(many));
    }

    @Test
    void isAnotherWishUnderAnotherName() {
        RequantizationSpec other = spec().named("other", Instant.EPOCH);
        assertEquals(new Output("other", Instant.EPOCH, Scope.BRIEF), other.output());
        assertEquals(
                spec(),
                other.named(spec().output().manifestId(), spec().output().created()));
    }

    @Test
    void isWrittenInWordsThatPeopleRead() throws IOException {
        spec().write(folder);
        String json = Files.readString(folder.resolve("spec.json"));
        for (String line : List.of(
                "\"budget\" : \"60%\"",
                "\"method\" : \"best\"",
                "\"low\" : \"IQ1_M\"",
                "\"created\" : \"2026-03-04T05:06:07.123456Z\"",
                "\"mmproj\" : \"mmproj.gguf\"")) {
            assertTrue(json.contains(line), json);
        }
    }

    @Test
    void aJobOfAnOlderServerSearchesNothing() throws IOException {
        spec().write(folder);
        Path file = folder.resolve("spec.json");
        String json = Files.readString(file);
        String older = json.replaceFirst("(?s)  \"search\" : \\{.*?\\},\\s*", "");
        assertTrue(older.length() < json.length());
        Files.writeString(file, older);
        assertEquals(spec(), RequantizationSpec.read(folder));
    }

    @Test
    void equalSpecificationsAreEqualBytes() throws IOException {
        spec().write(folder);
        byte[] first = Files.readAllBytes(folder.resolve("spec.json"));
        RequantizationSpec.read(folder).write(folder);
        assertEquals(-1, Arrays.mismatch(first, Files.readAllBytes(folder.resolve("spec.json"))));
    }

    @Test
    void refusesWhatCannotBeDone() {
        assertThrows(SpecException.Invalid.class, () -> new Levels(Precision.Q4_K_M, Precision.IQ1_M, Precision.F16));
        assertThrows(SpecException.Invalid.class, () -> new Levels(Precision.IQ1_M, Precision.Q4_K_M, Precision.Q4_K));
        assertThrows(SpecException.Invalid.class, () -> new Calibration(1.5, 1, 0, 10));
        assertThrows(SpecException.Invalid.class, () -> new Calibration(Double.NaN, 1, 0, 10));
        assertThrows(SpecException.Invalid.class, () -> new Search(-1));
        assertThrows(SpecException.Invalid.class, () -> new Search(86_401));
        RequantizationSpec spec = spec();
        for (String budget : List.of("kld:0.1", "60%")) {
            assertTrue(assertThrows(
                            SpecException.Invalid.class,
                            () -> new RequantizationSpec(
                                    RequantizationSpec.VERSION,
                                    spec.source(),
                                    spec.sets(),
                                    Budget.parse(budget),
                                    Optional.empty(),
                                    budget.equals("60%") ? Method.LADDER : Method.BEST,
                                    spec.levels(),
                                    spec.calibration(),
                                    new Search(10),
                                    spec.serving(),
                                    spec.threads(),
                                    spec.output()))
                    .getMessage()
                    .contains("A search needs a budget of size"));
        }
        for (double speed : new double[] {0, -1, Double.NaN, 1e9}) {
            assertTrue(assertThrows(SpecException.Invalid.class, () -> Specs.at(speed, spec, "60%"))
                    .getMessage()
                    .contains("tokens per second"));
        }
        assertTrue(assertThrows(SpecException.Invalid.class, () -> Specs.at(10, spec, "kld:0.1"))
                .getMessage()
                .contains("A speed goes with a budget of size"));
        assertEquals(Optional.of(10.0), Specs.at(10, spec, "3GiB").speed());
        for (String id : List.of("", "../up", "a/b", ".hidden", "a b", "x".repeat(101))) {
            assertThrows(SpecException.Invalid.class, () -> new Output(id, Instant.EPOCH, Scope.BRIEF), id);
        }
        assertTrue(assertThrows(SpecException.Invalid.class, () -> Method.parse("entropic"))
                .getMessage()
                .contains("entropy-normed-input"));
    }

    @Test
    void whatIsWrongInAFileIsSaid() throws IOException {
        assertThrows(SpecException.Unreadable.class, () -> RequantizationSpec.read(folder));
        Files.writeString(folder.resolve("spec.json"), "{");
        assertThrows(SpecException.Unreadable.class, () -> RequantizationSpec.read(folder));
        Files.writeString(folder.resolve("spec.json"), "{\"version\": 2, \"threads\": 0}");
        assertTrue(assertThrows(SpecException.Invalid.class, () -> RequantizationSpec.read(folder))
                .getMessage()
                .contains("version 2"));
        for (String wrong : List.of("\"best\"/\"worst\"", "60%/60 pounds")) {
            spec().write(folder);
            String json = Files.readString(folder.resolve("spec.json"));
            Files.writeString(folder.resolve("spec.json"), json.replace(wrong.split("/")[0], wrong.split("/")[1]));
            assertTrue(assertThrows(SpecException.Invalid.class, () -> RequantizationSpec.read(folder))
                    .getMessage()
                    .contains(wrong.split("/")[1].replace("\"", "")));
        }
    }

    @Test
    void statusComesBackFromItsFolder() {
        assertEquals(Optional.empty(), JobStatus.read(folder));
        JobStatus status = new JobStatus(
                JobStatus.State.RUNNING,
                Phase.QUANTIZE,
                0.25,
                OptionalLong.of(30),
                Map.of(Phase.CALIBRATE, 1.5),
                Optional.empty());
        status.write(folder);
        assertEquals(Optional.of(status), JobStatus.read(folder));
    }
}
