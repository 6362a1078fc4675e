package dev.luq.requant.pipeline;

import dev.luq.files.JsonFile;
import dev.luq.gguf.GgmlType;
import dev.luq.llama.Llama;
import dev.luq.requant.calibrate.Calibration;
import dev.luq.requant.feed.Modality;
import dev.luq.requant.measure.Quality;
import dev.luq.requant.plan.Plan;
import dev.luq.requant.plan.Planner;
import dev.luq.requant.rank.Sensitivities;
import dev.luq.requant.report.Report;
import dev.luq.requant.spec.RequantizationSpec;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/** Puts a report together from what the phases found. */
final class Reporter {

    private final RequantizationSpec spec;
    private final JobInputs inputs;
    private final CalibrationRun main;
    private final Rankings rankings;
    private final AllocationCosts allocation;
    private final Planner planner;

    Reporter(
            RequantizationSpec spec,
            JobInputs inputs,
            CalibrationRun main,
            Rankings rankings,
            AllocationCosts allocation,
            Planner planner) {
        this.spec = spec;
        this.inputs = inputs;
        this.main = main;
        this.rankings = rankings;
        this.allocation = allocation;
        this.planner = planner;
    }

    /** The report without comparisons. */
    Report brief(ChosenPlan decision, Quality quality, Quality baseQuality) {
        return new Report(
                Report.VERSION,
                spec.source().modelId(),
                inputs.name(),
                spec.output().manifestId(),
                spec.output().created(),
                spec.budget().text(),
                spec.method().text(),
                decision.chosen(),
                decision.why(),
                decision.candidate(),
                types(decision.candidate().plan()),
                quality,
                Optional.of(baseQuality),
                decision.choices(),
                rankings.computed(),
                rankings.computedCosts(),
                allocation.measured().map(Reporter::reported),
                rankings.reported(),
                provenance(),
                decision.speed(),
                Optional.empty());
    }

    private Report.Types types(Plan plan) {
        SortedMap<GgmlType, Integer> types = new TreeMap<>();
        planner.types(plan).values().forEach(type -> types.merge(type, 1, Integer::sum));
        return new Report.Types(types, planner.narrowMatrices());
    }

    private static List<Report.Sensitivity> reported(Sensitivities sensitivities) {
        return sensitivities.groups().stream()
                .map(measured -> new Report.Sensitivity(measured.group().name(), measured.error(), measured.kld()))
                .toList();
    }

    private Map<String, Object> provenance() {
        Calibration calibration = main.calibration();
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("base", inputs.fingerprint().id());
        facts.put(
                "levels",
                Map.of(
                        "low",
                        spec.levels().low(),
                        "high",
                        spec.levels().high(),
                        "mmproj",
                        spec.levels().mmproj()));
        facts.put("alpha", main.alpha());
        facts.put("seed", main.seed());
        facts.put(
                "calibration",
                Map.of(
                        "set",
                        calibration.set(),
                        "examples",
                        calibration.examples().size(),
                        "skipped",
                        calibration.skipped().size(),
                        "tokens",
                        tokens(calibration),
                        "sampledVectors",
                        samples(calibration),
                        "samples",
                        calibration.samplesDigest()));
        facts.put(
                "tuning",
                Map.of(
                        "set",
                        inputs.tuning().digest(),
                        "examples",
                        inputs.tuning().examples().size()));
        facts.put(
                "evaluation",
                Map.of(
                        "set",
                        inputs.evaluation().digest(),
                        "examples",
                        inputs.evaluation().examples().size()));
        facts.put("serving", spec.serving());
        facts.put("llama.cpp", Llama.version());
        return JsonFile.plain(facts);
    }

    private static Map<String, Object> tokens(Calibration calibration) {
        return Map.of("image", calibration.tokens(Modality.IMAGE), "text", calibration.tokens(Modality.TEXT));
    }

    private static Map<String, Object> samples(Calibration calibration) {
        return Map.of("image", calibration.samples(Modality.IMAGE), "text", calibration.samples(Modality.TEXT));
    }
}
