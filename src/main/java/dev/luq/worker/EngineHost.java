package dev.luq.worker;

import dev.luq.engine.Engine;
import dev.luq.engine.EngineException;
import dev.luq.engine.EngineFiles;
import dev.luq.engine.EngineOptions;
import dev.luq.engine.WorkListener;
import dev.luq.filecache.CachedFiles;
import dev.luq.filecache.EncoderIdentity;
import dev.luq.filecache.FileCache;
import dev.luq.filecache.LanguageModelIdentity;
import dev.luq.filecache.Producer;
import dev.luq.gguf.CheckedModel;
import dev.luq.gguf.GgufException;
import dev.luq.gguf.ModelFacts;
import dev.luq.gguf.Pooling;
import dev.luq.llama.ChatTemplates;
import dev.luq.llama.Context;
import dev.luq.llama.ContextOptions;
import dev.luq.llama.Llama;
import dev.luq.llama.LlamaException;
import dev.luq.llama.LogLine;
import dev.luq.llama.Model;
import dev.luq.llama.Vision;
import dev.luq.llama.VisionOptions;
import dev.luq.machine.Kernels;
import dev.luq.machine.NativeBuild;
import dev.luq.machine.Processors;
import dev.luq.protocol.Blackbox;
import dev.luq.protocol.ModelDefaults;
import dev.luq.protocol.ServerFrame;
import dev.luq.protocol.WorkerFrame;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.DoubleConsumer;
import java.util.function.DoublePredicate;
import java.util.stream.IntStream;

/** A model served by llama.cpp. What it opens lives as long as the process. */
final class EngineHost implements ModelHost {

    private final Blackbox blackbox;
    private volatile Engine engine;
    private volatile QueryHost queries;
    private String kernels;

    /** @param blackbox told what is worked on */
    EngineHost(Blackbox blackbox) {
        this.blackbox = blackbox;
    }

    @Override
    public WorkerFrame.ModelInfo load(ServerFrame.Load load, DoubleConsumer progress) throws LoadException {
        Optional<Path> mmproj = Optional.ofNullable(load.mmproj()).map(Path::of);
        loads("the headers of its files");
        CheckedModel checked = check(load, mmproj);
        List<Path> files = checked.files().paths();
        ModelFacts facts = checked.facts();
        Pooling pooling = facts.pooling(Optional.ofNullable(load.pooling()));
        try {
            loads("the native libraries");
            Llama.init(EngineHost::log);
            String sets = Llama.enableKernels(load.kernels());
            kernels = load.kernels().configName() + (load.kernels() == Kernels.STOCK ? "" : ": " + sets);
            WorkerLoop.log("INFO", "Kernels " + kernels);
            EngineFiles kept =
                    mmproj.isEmpty() || load.files() == null ? EngineFiles.NONE : files(load, files, mmproj.get());
            // Before they are loaded: a file that takes the place of one of them later is not what answers.
            String identity = identity(load, files);
            loads("its weights");
            boolean ranks = pooling == Pooling.RANK;
            checkPooling(facts, mmproj, pooling);
            Model model = ranks
                    ? Model.loadReranker(files, facts.architecture(), inPercent(progress))
                    : Model.load(files, inPercent(progress));
            int contextSize = ServerFrame.Load.contextSize(
                    load.contextSize(), OptionalLong.of(model.trainingContext()), facts.encoder());
            int batchSize = Math.min(load.batchSize(), contextSize);
            loads("its context");
            // A recurrent model's memory cannot be cut: it could not take back a draft.
            int draftTokens =
                    model.isRecurrent() ? 0 : ServerFrame.Load.draftTokens(load.draftTokens(), load.slots(), batchSize);
            Context context = Context.create(
                    model,
                    new ContextOptions(
                            contextSize,
                            batchSize,
                            load.slots(),
                            load.threads(),
                            load.kv(),
                            true,
                            facts.putsOutAll(pooling) ? batchSize : load.slots() + draftTokens));
            int slotContextSize = ServerFrame.Load.slotContextSize(load.slotContextSize(), context.contextSize());
            loads("its chat template");
            ChatTemplates templates = load.chatTemplate() == null
                    ? ChatTemplates.of(model)
                    : ChatTemplates.of(model, load.chatTemplate());
            boolean tools = model.generates() && templates.supportsTools();
            loads("its vision projector");
            int threads = Processors.threads(load.threads());
            int imageThreads = load.imageThreads() > 0 ? load.imageThreads() : threads;
            Vision vision = mmproj.isEmpty()
                    ? null
                    : Vision.open(mmproj.get(), model, new VisionOptions(imageThreads, load.imageMaxTokens()));
            engine = Engine.start(
                    new EngineOptions(
                            load.slots(),
                            batchSize,
                            slotContextSize,
                            load.imageCacheBytes(),
                            load.promptCacheBytes(),
                            draftTokens,
                            Duration.ofMillis(load.streamIntervalMillis()),
                            threads + imageThreads > Processors.available(),
                            pooling),
                    model,
                    context,
                    templates,
                    vision,
                    kept,
                    work());
            queries = new QueryHost(engine, load.slots());
            blackbox.idle(Blackbox.Stage.LOAD);
            return new WorkerFrame.ModelInfo(
                    model.name().orElse(null),
                    model.architecture(),
                    model.quantization(),
                    model.parameters(),
                    model.bytes(),
                    model.parameters() == 0 ? 0 : model.bytes() * 8.0 / model.parameters(),
                    context.contextSize(),
                    slotContextSize,
                    model.trainingContext(),
                    load.slots(),
                    vision != null,
                    tools,
                    model.vocabulary().longestPiece(),
                    new WorkerFrame.ModelProps(
                            load.chatTemplate() == null ? model.chatTemplate().orElse(null) : load.chatTemplate(),
                            model.vocabulary().beginText().orElse(null),
                            model.vocabulary().endText().orElse(null),
                            "llama.cpp " + Llama.version(),
                            IntStream.of(model.vocabulary().endsOfGeneration())
                                    .boxed()
                                    .toList()),
                    pooling == Pooling.NONE || ranks
                            ? null
                            : new WorkerFrame.EmbeddingInfo(model.outputEmbeddingSize(), facts.encoder()),
                    ranks,
                    identity,
                    ModelDefaults.NONE);
        } catch (LlamaException.VisionLoad e) {
            throw new LoadException(
                    "invalid_mmproj", "The mmproj cannot be used with this model: " + e.getMessage(), e);
        } catch (LlamaException.KernelsUnavailable e) {
            throw new LoadException(
                    "unsupported_machine",
                    "Our kernels cannot be used here, set luq.worker.kernels to stock: " + e.getMessage(),
                    e);
        } catch (LlamaException e) {
            throw new LoadException("invalid_model", "The model cannot be used: " + e.getMessage(), e);
        } catch (IllegalArgumentException e) {
            throw new LoadException(
                    "invalid_configuration", "The model cannot be run as configured: " + e.getMessage(), e);
        } catch (UnsatisfiedLinkError e) {
            String reason = String.valueOf(e.getMessage());
            throw new LoadException(
                    "unsupported_machine",
                    "The native libraries cannot be loaded: " + reason
                            + (reason.contains("cannot open shared object")
                                    ? ". They need the packages libgomp1 and libstdc++6"
                                    : ""),
                    e);
        }
    }

    /**
     * Where is kept what this build computes with these kernels: embeddings of images up to this size, and keys and values of
     * this type, which depend on the context's size where the positions of a model do.
     */
    private EngineFiles files(ServerFrame.Load load, List<Path> modelFiles, Path mmproj) {
        String model = load.files().model();
        EncoderIdentity encoder = new EncoderIdentity(
                model, mmproj, List.of(NativeBuild.key(), kernels, "image-max-tokens " + load.imageMaxTokens()));
        LanguageModelIdentity languageModel = new LanguageModelIdentity(
                model, modelFiles, encoder, List.of("kv " + load.kv(), "context-size " + load.contextSize()));
        return new EngineFiles(
                files(load.files().images(), encoder, "embeddings of images"),
                files(load.files().prompts(), languageModel, "prompts with images"));
    }

    /** @param folder null to keep none */
    private static CachedFiles files(ServerFrame.Load.CacheFolder folder, Producer producer, String content) {
        return folder == null
                ? null
                : new CachedFiles(new FileCache(Path.of(folder.path()), folder.maxBytes()), producer, content);
    }

    /** @return null when a file can no longer be read */
    private static String identity(ServerFrame.Load load, List<Path> modelFiles) {
        try {
            return ServedIdentity.of(load, modelFiles, Llama.arithmetic());
        } catch (IOException e) {
            WorkerLoop.log("WARN", "The model's files cannot be told from others: " + e.getMessage());
            return null;
        }
    }

    private void loads(String part) {
        blackbox.working(Blackbox.Stage.LOAD, List.of(part));
    }

    private WorkListener work() {
        return new WorkListener() {
            @Override
            public void begins(Work work, List<String> requests) {
                blackbox.working(
                        stage(work),
                        requests.stream()
                                .map(EmbeddingQuery::queryOf)
                                .distinct()
                                .toList());
            }

            @Override
            public void ends(Work work) {
                blackbox.idle(stage(work));
            }
        };
    }

    private static Blackbox.Stage stage(WorkListener.Work work) {
        return switch (work) {
            case PROMPT -> Blackbox.Stage.PROMPT;
            case IMAGE -> Blackbox.Stage.IMAGE;
            case STEP -> Blackbox.Stage.STEP;
        };
    }

    /** llama.cpp's account of what it loads, over a hundred lines, is for those who look for a fault. */
    private static void log(LogLine line) {
        WorkerLoop.log(
                line.level() == LogLine.Level.INFO ? "DEBUG" : line.level().name(), line.text());
    }

    /**
     * Files may have changed since the server looked.
     *
     * @return the model, its files in order
     */
    private static CheckedModel check(ServerFrame.Load load, Optional<Path> mmproj) throws LoadException {
        try {
            return CheckedModel.read(load.modelFiles().stream().map(Path::of).toList(), mmproj);
        } catch (GgufException.Unusable e) {
            throw new LoadException("invalid_model", e.getMessage(), e);
        }
    }

    private static void checkPooling(ModelFacts facts, Optional<Path> mmproj, Pooling wanted) throws LoadException {
        boolean ranks = wanted == Pooling.RANK;
        if (ranks && !facts.classifier()) {
            throw new LoadException(
                    "invalid_configuration",
                    "The file of this model has no classification head (cls.weight or cls.output.weight): it ranks"
                            + " nothing. Set luq.models.\"ID\".pooling to something else, or serve a reranker.",
                    null);
        }
        if (mmproj.isPresent() && !facts.generates(wanted)) {
            throw new LoadException(
                    "invalid_mmproj",
                    "The model is an encoder of text or ranks texts: it is served without an mmproj.",
                    null);
        }
        if (facts.encoder()
                && !ranks
                && facts.pooling()
                        .filter(own -> own != Pooling.NONE && own != wanted)
                        .isPresent()) {
            throw new LoadException(
                    "invalid_configuration",
                    "The file of this encoder says how its embeddings are made (pooling_type). Leave"
                            + " luq.models.\"ID\".pooling out.",
                    null);
        }
    }

    private static DoublePredicate inPercent(DoubleConsumer progress) {
        AtomicInteger told = new AtomicInteger();
        return share -> {
            int percent = (int) (share * 100);
            if (told.getAndSet(percent) != percent) {
                progress.accept(share);
            }
            return true;
        };
    }

    @Override
    public void submit(ServerFrame.Generate request, Consumer<WorkerFrame.OfRequest> events) {
        engine.submit(FrameMapper.toEngine(request), event -> events.accept(named(FrameMapper.toFrame(event))));
    }

    @Override
    public void submit(ServerFrame.Query<?> query, Consumer<WorkerFrame.OfRequest> events) {
        queries.submit(query, frame -> events.accept(named(frame)));
    }

    /** A failure of the model's numbers says whose they are. */
    private WorkerFrame.OfRequest named(WorkerFrame.OfRequest frame) {
        if (!(frame instanceof WorkerFrame.Failed failed)
                || !failed.code().equals(EngineException.NonFiniteOutput.CODE)) {
            return frame;
        }
        String message = failed.message() + " They were computed by the kernels " + kernels + ".";
        WorkerLoop.log(
                "ERROR",
                "Request " + failed.id() + ": " + message
                        + " Try others with luq.worker.kernels; if all do this, the model's weights are at fault.");
        return new WorkerFrame.Failed(failed.id(), failed.code(), message, failed.param(), failed.overflow());
    }

    @Override
    public void cancel(String id) {
        engine.cancel(id);
        queries.cancel(id);
    }

    @Override
    public WorkerFrame.EngineStats stats() {
        return FrameMapper.toFrame(engine.stats());
    }
}
