package dev.luq.requant.calibrate;

import dev.luq.files.Interruption;
import dev.luq.files.Sha256;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.ModelFacts;
import dev.luq.gguf.ModelFiles;
import dev.luq.requant.data.Dataset;
import dev.luq.requant.data.Example;
import dev.luq.requant.feed.FeedException;
import dev.luq.requant.feed.FeedListener;
import dev.luq.requant.feed.FeedOptions;
import dev.luq.requant.feed.Feeder;
import dev.luq.requant.feed.Modality;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** One pass of a base model over a calibration set; see the package for its files. For one thread. */
public final class Calibrator {

    private final ModelFiles model;
    private final Optional<Path> mmproj;
    private final CalibrationOptions options;
    private final Path folder;
    private final int layers;
    private final int width;
    private final Map<Modality, int[]> samples = new EnumMap<>(Modality.class);
    private long lastCheckpoint;

    private Calibrator(ModelFiles model, Optional<Path> mmproj, CalibrationOptions options, Path folder) {
        this.model = model;
        this.mmproj = mmproj;
        this.options = options;
        this.folder = folder;
        ModelFacts facts = ModelFacts.of(model);
        layers = Math.toIntExact(facts.blockCount()
                .orElseThrow(() ->
                        new CalibrationException.UnusableModel("The model does not say how many layers it has.")));
        width = Math.toIntExact(model.first()
                .integer(facts.architecture() + ".embedding_length")
                .orElseThrow(() ->
                        new CalibrationException.UnusableModel("The model does not say how wide its embeddings are.")));
    }

    /**
     * Runs a pass, or what is left of it. {@link dev.luq.llama.Llama#init} must have been called. Beyond the model it
     * holds one example, two sums per matrix and modality, and llama.cpp's buffers for one batch.
     *
     * @param model the base model's GGUF, or its split files in order
     * @param identity of what is in the model's and the projector's files, wherever they lie
     * @param folder of this pass alone; made if missing. A pass of another model, set or options in it is started anew
     * @return what the pass found, also when it was complete before
     * @throws CalibrationException the model cannot be calibrated with this set
     * @throws FeedException.Unusable an image is damaged
     * @throws InterruptedException the thread was interrupted; what was done is kept
     * @throws IOException the folder cannot be written
     */
    public static Calibration run(
            List<Path> model,
            Optional<Path> mmproj,
            String identity,
            Dataset set,
            CalibrationOptions options,
            Path folder,
            CalibrationListener listener)
            throws IOException, InterruptedException {
        try {
            Files.createDirectories(folder);
            new Calibrator(ModelFiles.of(model), mmproj, options, folder).run(identity, set, listener);
            return Calibration.read(folder);
        } catch (IOException | RuntimeException e) {
            if (Interruption.caused(e)) {
                Thread.interrupted();
                throw interrupted();
            }
            throw e;
        }
    }

    private void run(String identity, Dataset set, CalibrationListener listener)
            throws IOException, InterruptedException {
        delete("*.tmp"); // half a checkpoint of a process that was killed
        String digest = set.digest();
        String key = key(identity, digest);
        List<Example> examples = draw(set, options.examples(), options.seed());
        Checkpoint start =
                Checkpoint.read(folder).filter(found -> found.key().equals(key)).orElse(null);
        if (start == null) {
            delete("*.{f32,gguf}");
            start = new Checkpoint(
                    key,
                    digest,
                    examples.stream().map(Example::id).toList(),
                    0,
                    List.of(),
                    layers,
                    width,
                    Map.of(Modality.TEXT, 0L, Modality.IMAGE, 0L),
                    new InputSquares(),
                    Map.of());
        }
        if (!start.complete()) {
            goOn(start, examples, listener);
        }
    }

    private void goOn(Checkpoint start, List<Example> examples, CalibrationListener listener)
            throws IOException, InterruptedException {
        for (Modality modality : Modality.values()) {
            samples.put(
                    modality, Arrays.copyOf(start.samples().getOrDefault(modality, new int[0]), 2 * options.vectors()));
        }
        try (VectorFiles vectors = new VectorFiles(folder, width)) {
            ActivationTap tap = new ActivationTap(weights(), options.activations(), vectors);
            try (Feeder feeder = Feeder.open(
                    model.paths(),
                    mmproj,
                    new FeedOptions(
                            options.contextSize(),
                            options.batchSize(),
                            options.threads(),
                            options.imageTokens(),
                            options.chatTemplate(),
                            FeedOptions.Outputs.ALL,
                            Optional.of(tap)))) {
                feed(start, examples, feeder, tap, vectors, listener);
            }
        } catch (UncheckedIOException e) {
            throw e.getCause(); // of the vectors, through the tap
        }
    }

    private void feed(
            Checkpoint start,
            List<Example> examples,
            Feeder feeder,
            ActivationTap tap,
            VectorFiles vectors,
            CalibrationListener listener)
            throws IOException, InterruptedException {
        InputSquares squares = start.squares();
        List<String> skipped = new ArrayList<>(start.skipped());
        Reservoir reservoir = new Reservoir(options.seed(), options.vectors(), start.tokens());
        Map<Modality, Long> tokens = reservoir.seen();
        lastCheckpoint = System.nanoTime();
        int done = start.done();
        try {
            while (done < examples.size()) {
                Example example = examples.get(done);
                try {
                    feeder.feed(example, new Sampling(reservoir, tap, done));
                    squares.add(tap.takeSquares());
                } catch (FeedException.TooLong e) {
                    skipped.add(example.id());
                } catch (ActivationTap.NonFiniteActivation e) {
                    throw new CalibrationException.UnusableModel(feeder.notFinite(example));
                }
                done++;
                tokens = reservoir.seen();
                listener.examples(done, examples.size());
                if (System.nanoTime() - lastCheckpoint
                        >= options.checkpointInterval().toNanos()) {
                    save(start, done, skipped, tokens, squares, vectors);
                }
            }
        } catch (Interrupted e) {
            save(start, done, skipped, tokens, squares, vectors);
            throw interrupted();
        }
        check(skipped.size(), examples.size());
        save(start, done, skipped, tokens, squares, vectors);
    }

    private static InterruptedException interrupted() {
        return new InterruptedException("the calibration was interrupted");
    }

    /** State between two examples. Vectors first: the checkpoint must not know of any that are not on the disk. */
    private void save(
            Checkpoint start,
            int done,
            List<String> skipped,
            Map<Modality, Long> tokens,
            InputSquares squares,
            VectorFiles vectors)
            throws IOException {
        vectors.force();
        Map<Modality, int[]> taken = new EnumMap<>(Modality.class);
        samples.forEach((modality, pairs) ->
                taken.put(modality, Arrays.copyOf(pairs, 2 * (int) Math.min(options.vectors(), tokens.get(modality)))));
        new Checkpoint(start.key(), start.set(), start.examples(), done, skipped, layers, width, tokens, squares, taken)
                .write(folder);
        lastCheckpoint = System.nanoTime();
    }

    private static void check(int skipped, int examples) {
        if (skipped == examples) {
            throw new CalibrationException.UnusableSet("None of the " + examples + " examples fits into the context;"
                    + " shorten them, use smaller pictures or a larger context.");
        }
    }

    /** Examples in the set's order, all or a sample. */
    static List<Example> draw(Dataset set, int count, long seed) {
        List<Integer> order = new ArrayList<>(
                IntStream.range(0, set.examples().size()).boxed().toList());
        Collections.shuffle(order, new Random(seed));
        return order.subList(0, count == 0 ? order.size() : Math.min(count, order.size())).stream()
                .sorted()
                .map(set.examples()::get)
                .toList();
    }

    private Set<String> weights() {
        return model.parts().stream()
                .flatMap(part -> part.tensors().stream())
                .filter(tensor -> tensor.name().endsWith(".weight") && tensor.extent(1) > 1)
                .map(GgufTensor::name)
                .collect(Collectors.toSet());
    }

    private String key(String identity, String set) {
        List<Object> facts = List.of(
                set,
                options.examples(),
                options.vectors(),
                options.activations(),
                options.contextSize(),
                options.batchSize(),
                options.imageTokens(),
                options.seed(),
                identity);
        return Sha256.hex(facts.toString().getBytes(StandardCharsets.UTF_8));
    }

    private void delete(String glob) throws IOException {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, glob)) {
            for (Path file : files) {
                Files.delete(file);
            }
        }
    }

    /** Tells the tap which tokens of the next batch are sampled, and where to. */
    private final class Sampling implements FeedListener {
        private final Reservoir reservoir;
        private final ActivationTap tap;
        private final int example;
        private int token;

        Sampling(Reservoir reservoir, ActivationTap tap, int example) {
            this.reservoir = reservoir;
            this.tap = tap;
            this.example = example;
        }

        @Override
        public void batch(Modality modality, int count) {
            if (Thread.interrupted()) {
                throw new Interrupted();
            }
            int[] slots = new int[count];
            for (int i = 0; i < count; i++, token++) {
                slots[i] = reservoir.offer(modality);
                if (slots[i] >= 0) {
                    samples.get(modality)[2 * slots[i]] = example;
                    samples.get(modality)[2 * slots[i] + 1] = token;
                }
            }
            tap.batch(modality, slots);
        }
    }

    /** Ends an example in the middle. */
    private static final class Interrupted extends RuntimeException {
        Interrupted() {
            super(null, null, false, false);
        }
    }
}
