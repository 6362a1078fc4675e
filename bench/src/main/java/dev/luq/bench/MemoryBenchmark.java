package dev.luq.bench;

import dev.luq.cli.ChatSession;
import dev.luq.cli.CliException;
import dev.luq.cli.CompletionClient;
import dev.luq.cli.ModelOptions;
import dev.luq.cli.ServerProcess;
import dev.luq.cli.ServingOptions;
import dev.luq.files.Units;
import dev.luq.gguf.GgmlType;
import dev.luq.gguf.ModelFacts;
import dev.luq.gguf.ModelFiles;
import dev.luq.machine.Kernels;
import dev.luq.machine.Processors;
import dev.luq.memory.MemoryEstimate;
import dev.luq.memory.ServingShape;
import dev.luq.protocol.ServerFrame.Load;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code luq bench memory}: what server and worker hold, beside what plans estimate. */
@Command(
        name = "memory",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Measures the resident memory of server and worker beside its estimate.",
        footerHeading = "%nHow it is measured%n",
        footer = {
            "Without the model: one of a million weights is served with a context of 512 tokens and asked once. Pages of"
                    + " the mapped model file are left out; caches and compute buffers of that small model are counted.",
            "Estimate: a model is served with the server's defaults, but pictures as large as the model takes them, and"
                    + " asked about a picture of 1 megapixel where it has a projector (of 2.8 megapixels too with --large), then by"
                    + " as many clients as it has slots at once, with prompts of several steps. Then all pages of server and"
                    + " worker are counted, beside what plan and budgets for everything reckon with. The picture's embeddings,"
                    + " which a cache keeps, are part of the measurement, but not of the estimate.",
            "The kernel is asked (/proc/PID/smaps). Models: the demo model, one of 152 million random weights at F16,"
                    + " with --large also Qwen2.5-VL-7B's shape with 4 of its layers at Q4_K, at Q4_K with 2 at IQ1_M, and at"
                    + " F16 (5 GB of disk), or --model; each with our kernels and with llama.cpp's, or as --kernels says."
        })
final class MemoryBenchmark implements Callable<Integer> {

    /** Pixels of a picture's side; the larger one leaves the demo model's context of 4,096 tokens room for a question. */
    private static final int SMALL = 1000;

    private static final int LARGE = 1680;
    /** Of the models that take pictures of any size: what one token stands for. */
    private static final int TOKEN_SIDE = 28;
    /** In a question: two tokens each. */
    private static final int WORDS = 150;
    /** Of an answer, at most. */
    private static final int TOKENS = 32;

    @Option(names = "--model", paramLabel = "GGUF", description = "Measure this model only.")
    private Path model;

    @Option(names = "--mmproj", paramLabel = "GGUF", description = "Its vision projector.")
    private Path mmproj;

    @Option(names = "--large", description = "Also models of gigabytes and a picture of 2.8 megapixels.")
    private boolean large;

    @Option(
            names = "--kernels",
            paramLabel = "NAME",
            split = ",",
            defaultValue = "fast,stock",
            description = "What multiplies the weights: fast, compact, stock (default: ${DEFAULT-VALUE}).")
    private List<Kernels> kernels;

    @Override
    public Integer call() throws IOException {
        if (model != null) {
            heading();
            compare(model.getFileName().toString(), ModelOptions.of(model.toString(), mmproj), SMALL);
            return 0;
        }
        withoutModel();
        System.out.println();
        heading();
        ModelOptions demo = ModelOptions.of("demo", null);
        compare("demo, 1 megapixel", demo, SMALL);
        synthesized("152 million, F16", ModelSynthesizer.Shape.benchmark(GgmlType.F16));
        if (large) {
            compare("demo, 2.8 megapixels", demo, LARGE);
            ModelSynthesizer.Shape shape =
                    ModelSynthesizer.Shape.qwen7B(GgmlType.Q4_K).withLayers(4);
            synthesized("7B's shape, Q4_K", shape);
            synthesized(
                    "7B's shape, half IQ1_M",
                    shape.withTypes(tensor -> tensor.matches("blk\\.[13]\\..*") ? GgmlType.IQ1_M : GgmlType.Q4_K));
            synthesized("7B's shape, F16", shape.withTypes(tensor -> GgmlType.F16));
        }
        return 0;
    }

    private static void withoutModel() throws IOException {
        try (TemporaryFolder folder = TemporaryFolder.create()) {
            Path tiny = folder.resolve("tiny.gguf");
            new ModelSynthesizer(ModelSynthesizer.Shape.tiny(), 1).write(tiny);
            List<String> options = List.of("-Dluq.data-dir=" + folder.resolve("data"), "-Dluq.worker.context-size=512");
            try (ServerProcess server = ServerProcess.ofModel(ModelOptions.of(tiny.toString(), null), options)) {
                ask(server.client(), "abc def", List.of());
                report(server.handle());
            }
        }
    }

    private static void report(ProcessHandle server) {
        System.out.println("MiB without the model      RSS      PSS");
        long resident = print("server", ProcessMemory.of(server.pid()));
        for (ProcessHandle worker : workers(server)) {
            resident += print("worker", ProcessMemory.of(worker.pid()));
        }
        System.out.printf(Locale.ROOT, "%-22s %7.1f%n", "together", resident / Units.MIB);
    }

    private static List<ProcessHandle> workers(ProcessHandle server) {
        List<ProcessHandle> workers = server.descendants().toList();
        if (workers.isEmpty()) {
            throw new CliException("The server has no worker process.");
        }
        return workers;
    }

    private static long print(String label, ProcessMemory memory) {
        System.out.printf(
                Locale.ROOT,
                "%-22s %7.1f  %7.1f%n",
                label,
                memory.residentWithoutModel() / Units.MIB,
                memory.proportionalWithoutModel() / Units.MIB);
        return memory.residentWithoutModel();
    }

    private void synthesized(String label, ModelSynthesizer.Shape shape) throws IOException {
        try (TemporaryFolder folder = TemporaryFolder.create()) {
            Path file = folder.resolve("random.gguf");
            new ModelSynthesizer(shape, 1).write(file);
            compare(label, ModelOptions.of(file.toString(), null), SMALL);
        }
    }

    private static void heading() {
        System.out.println(
                "MiB                     kernels  estimate  measured  estimate /      parts of the estimate:");
        System.out.println(
                "                                                     measured        weights, projector, KV cache,");
        System.out.println("                                                                     compute, processes");
    }

    /** @param side of the picture in pixels */
    private void compare(String label, ModelOptions model, int side) throws IOException {
        for (Kernels each : kernels) {
            compare(label, model, side, each);
        }
    }

    private static void compare(String label, ModelOptions model, int side, Kernels kernels) throws IOException {
        MemoryEstimate estimate = estimate(model, side, kernels);
        // In the user's own one there are other models, and the picture's embeddings from the second time on.
        try (TemporaryFolder data = TemporaryFolder.create();
                ServerProcess server = ServerProcess.ofModel(
                        model,
                        List.of(
                                "-Dluq.data-dir=" + data.path(),
                                "-Dluq.worker.kernels=" + kernels,
                                "-Dluq.worker.image-max-tokens=0"))) {
            load(server.client(), model.mmprojFile().map(file -> picture(side)));
            long measured = ProcessMemory.of(server.handle().pid()).resident();
            for (ProcessHandle worker : workers(server.handle())) {
                measured += ProcessMemory.of(worker.pid()).resident();
            }
            System.out.printf(
                    Locale.ROOT,
                    "%-23s %-8s %8.1f  %8.1f  %10.3f      %.0f, %.0f, %.0f, %.0f, %.0f%n",
                    label,
                    kernels.configName(),
                    estimate.total() / Units.MIB,
                    measured / Units.MIB,
                    (double) estimate.total() / measured,
                    estimate.weights() / Units.MIB,
                    estimate.mmproj() / Units.MIB,
                    estimate.kvCache() / Units.MIB,
                    estimate.compute() / Units.MIB,
                    estimate.processes() / Units.MIB);
        }
    }

    /** Of the model as it is, served as above and asked about pictures of this side. */
    private static MemoryEstimate estimate(ModelOptions model, int side, Kernels kernels) {
        ModelFiles files = model.modelFiles();
        ModelFacts facts = ModelFacts.of(files);
        int context = Load.contextSize(0, facts.contextLength(), facts.encoder());
        int tokens = (int) Math.pow(Math.round((double) side / TOKEN_SIDE), 2);
        return MemoryEstimate.asItIs(
                files,
                model.mmprojFiles(),
                new ServingShape(
                        context,
                        ServingOptions.BATCH_SIZE,
                        ServingOptions.SLOTS,
                        Processors.available(),
                        ServingShape.imageTokens(tokens, context),
                        kernels));
    }

    private static byte[] picture(int side) {
        try {
            ByteArrayOutputStream png = new ByteArrayOutputStream();
            ImageIO.write(new BufferedImage(side, side, BufferedImage.TYPE_INT_RGB), "png", png);
            return png.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Asks as many questions as the server has slots at once, each of several steps; one about a picture before, if any. */
    private static void load(CompletionClient client, Optional<byte[]> picture) {
        picture.ifPresent(png -> ask(client, "What is it?", List.of(png)));
        ExecutorService threads = Executors.newFixedThreadPool(ServingOptions.SLOTS);
        try {
            CompletableFuture.allOf(IntStream.range(0, ServingOptions.SLOTS)
                            .mapToObj(i -> CompletableFuture.runAsync(
                                    () -> ask(client, i + " abc".repeat(WORDS), List.of()), threads))
                            .toArray(CompletableFuture[]::new))
                    .join();
        } finally {
            threads.shutdown();
        }
    }

    private static void ask(CompletionClient client, String question, List<byte[]> pictures) {
        new ChatSession(pictures, TOKENS, 1).ask(client, question, text -> {});
    }
}
