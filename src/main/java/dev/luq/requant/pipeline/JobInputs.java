package dev.luq.requant.pipeline;

import dev.luq.gguf.GgufException;
import dev.luq.gguf.ModelFacts;
import dev.luq.gguf.ModelFiles;
import dev.luq.requant.data.Dataset;
import dev.luq.requant.data.Example;
import dev.luq.requant.spec.RequantizationSpec;
import dev.luq.requant.store.Fingerprint;
import dev.luq.requant.store.LayerStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a job works on, read and checked: the base model and the examples, each for one purpose.
 *
 * @param model the base model
 * @param mmproj its projector
 * @param name general.name of the model, or its id in the catalogue
 * @param fingerprint of the model
 * @param identity of model, projector and chat template by content
 * @param imageTokens images are reduced to this many tokens, as when it is served; 0: the model's own bound
 * @param chatTemplate that prompts are made with in place of the model's own
 * @param calibration examples for importance matrices and entropies
 * @param tuning examples for layer costs and for choosing between methods, held out of the calibration
 * @param evaluation examples for the published figures
 */
record JobInputs(
        ModelFiles model,
        Optional<ModelFiles> mmproj,
        String name,
        Fingerprint fingerprint,
        String identity,
        int imageTokens,
        Optional<String> chatTemplate,
        Dataset calibration,
        Dataset tuning,
        Dataset evaluation) {

    /** Of so many examples of the calibration set one is held out. */
    private static final int TUNING_SHARE = 5;

    /**
     * @throws GgufException the model's files are malformed or do not belong together
     * @throws dev.luq.requant.data.DataException a set is not one
     * @throws RequantizationException.Failed the calibration set is too small
     */
    static JobInputs read(RequantizationSpec spec, LayerStore store, JobProgress progress) throws IOException {
        ModelFiles model = ModelFiles.of(spec.source().modelPaths());
        ModelFacts facts = ModelFacts.of(model);
        Optional<ModelFiles> mmproj = Optional.empty();
        if (spec.source().mmprojPath().isPresent()) {
            mmproj =
                    Optional.of(ModelFiles.of(List.of(spec.source().mmprojPath().get())));
            facts.requireProjector(ModelFacts.of(mmproj.get()));
        }
        Fingerprint fingerprint = fingerprint(model, store, progress);
        Dataset calibration = Dataset.read(Path.of(spec.sets().calibration()));
        Dataset evaluation = Dataset.read(Path.of(spec.sets().evaluation()));
        List<Example> kept = new ArrayList<>();
        List<Example> held = new ArrayList<>();
        split(
                calibration.examples(),
                Math.max(
                        1,
                        Math.min(
                                spec.calibration().tuning(),
                                calibration.examples().size() / TUNING_SHARE)),
                kept,
                held);
        if (kept.isEmpty()) {
            throw new RequantizationException.Failed(
                    "The calibration set has one example; it needs two at least, and 100 or more to be" + " of use.",
                    null);
        }
        return new JobInputs(
                model,
                mmproj,
                facts.name().orElse(spec.source().modelId()),
                fingerprint,
                identity(fingerprint, mmproj, spec.source().chatTemplate(), store, progress),
                spec.serving().imageTokens(),
                spec.source().chatTemplate(),
                new Dataset(kept),
                new Dataset(held),
                new Dataset(spread(evaluation.examples(), spec.sets().evaluationExamples())));
    }

    /** Identity by content of everything that a job works on. */
    String all() {
        return Cache.key(List.of(identity, calibration.digest(), tuning.digest(), evaluation.digest()));
    }

    /** Identity by content of a model together with its projector, and with the chat template in place of its own. */
    static String identity(
            Fingerprint model,
            Optional<ModelFiles> mmproj,
            Optional<String> chatTemplate,
            LayerStore store,
            JobProgress progress)
            throws IOException {
        List<String> facts = new ArrayList<>();
        facts.add(model.id());
        facts.add(
                mmproj.isEmpty()
                        ? ""
                        : fingerprint(mmproj.get(), store, progress).id());
        chatTemplate.ifPresent(facts::add);
        return Cache.key(facts);
    }

    static Fingerprint fingerprint(ModelFiles files, LayerStore store, JobProgress progress) throws IOException {
        return Fingerprint.of(files, store, bytes -> progress.check());
    }

    /** Holds out so many examples, evenly spread over the set, which may hold equal ones. */
    @SuppressWarnings("ReferenceEquality")
    static void split(List<Example> all, int count, List<Example> kept, List<Example> held) {
        List<Example> out = spread(all, count);
        held.addAll(out);
        int next = 0;
        for (Example example : all) {
            if (next < out.size() && out.get(next) == example) {
                next++;
            } else {
                kept.add(example);
            }
        }
    }

    /** So many examples, evenly spread; all for 0 or when there are no more. */
    static List<Example> spread(List<Example> all, int count) {
        if (count == 0 || count >= all.size()) {
            return all;
        }
        List<Example> some = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            some.add(all.get((int) ((i + 0.5) * all.size() / count)));
        }
        return some;
    }
}
