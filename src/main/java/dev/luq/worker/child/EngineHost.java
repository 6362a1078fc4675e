package dev.luq.worker.child;

import dev.luq.catalog.CatalogException;
import dev.luq.catalog.CheckedModel;
import dev.luq.engine.Engine;
import dev.luq.engine.EngineOptions;
import dev.luq.llama.ChatTemplates;
import dev.luq.llama.Context;
import dev.luq.llama.ContextOptions;
import dev.luq.llama.KernelLayout;
import dev.luq.llama.KvType;
import dev.luq.llama.Llama;
import dev.luq.llama.LlamaException;
import dev.luq.llama.LogLine;
import dev.luq.llama.Model;
import dev.luq.llama.ModelOptions;
import dev.luq.llama.Vision;
import dev.luq.llama.VisionOptions;
import dev.luq.worker.protocol.ServerFrame;
import dev.luq.worker.protocol.WorkerFrame;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.DoubleConsumer;
import java.util.function.DoublePredicate;

/** A model served by llama.cpp. What it opens lives as long as the process. */
final class EngineHost implements ModelHost {

    private volatile Engine engine;

    @Override
    public WorkerFrame.ModelInfo load(ServerFrame.Load load, DoubleConsumer progress) throws LoadException {
        Optional<Path> mmproj = Optional.ofNullable(load.mmproj()).map(Path::of);
        List<Path> files = check(load, mmproj);
        try {
            Llama.init(EngineHost::log);
            WorkerLoop.log("INFO", switch (load.kernels()) {
                case FAST -> "Kernels fast: " + Llama.enableKernels(KernelLayout.FAST);
                case COMPACT -> "Kernels compact: " + Llama.enableKernels(KernelLayout.COMPACT);
                case STOCK -> "Kernels stock";
            });
            Model model = Model.load(files, new ModelOptions(true, false, inPercent(progress)));
            int contextSize = load.contextSize() > 0 ? load.contextSize()
                    : Math.min(model.trainingContext(), ServerFrame.Load.DEFAULT_CONTEXT);
            int batchSize = Math.min(load.batchSize(), contextSize);
            Context context = Context.create(model, new ContextOptions(contextSize, batchSize, batchSize, load.slots(),
                    load.threads(), load.threads(), KvType.F16, true));
            ChatTemplates templates = ChatTemplates.of(model);
            boolean tools = templates.supportsTools();
            Vision vision = mmproj.isEmpty() ? null : Vision.open(mmproj.get(), model,
                    new VisionOptions(imageThreads(load), 0, load.imageMaxTokens()));
            engine = Engine.start(new EngineOptions(load.slots(), batchSize, load.imageCacheBytes(),
                    Duration.ofMillis(load.streamIntervalMillis())), model, context, templates, vision);
            return new WorkerFrame.ModelInfo(model.name().orElse(null), model.architecture(), model.quantization(),
                    model.parameters(), model.bytes(),
                    model.parameters() == 0 ? 0 : model.bytes() * 8.0 / model.parameters(), context.contextSize(),
                    model.trainingContext(), load.slots(), vision != null, tools, model.vocabulary().longestPiece());
        } catch (LlamaException.VisionLoad e) {
            throw new LoadException("invalid_mmproj", "The mmproj cannot be used with this model: " + e.getMessage(), e);
        } catch (LlamaException.Kernels e) {
            throw new LoadException("unsupported_machine",
                    "Our kernels cannot be used here, set luq.worker.kernels to stock: " + e.getMessage(), e);
        } catch (LlamaException e) {
            throw new LoadException("invalid_model", "The model cannot be used: " + e.getMessage(), e);
        } catch (IllegalArgumentException e) {
            throw new LoadException("invalid_configuration", "The model cannot be run as configured: " + e.getMessage(), e);
        } catch (UnsatisfiedLinkError e) {
            throw new LoadException("unsupported_machine", "The native libraries do not fit this machine.", e);
        }
    }

    /** Half of the processors unless told otherwise: images are encoded while others decode. */
    private static int imageThreads(ServerFrame.Load load) {
        return load.imageThreads() > 0 ? load.imageThreads() : Math.max(1, Runtime.getRuntime().availableProcessors() / 2);
    }

    /** llama.cpp's account of what it loads, over a hundred lines, is for those who look for a fault. */
    private static void log(LogLine line) {
        WorkerLoop.log(line.level() == LogLine.Level.INFO ? "DEBUG" : line.level().name(), line.text());
    }

    /** Files may have changed since the server looked. @return the model's files in order */
    private static List<Path> check(ServerFrame.Load load, Optional<Path> mmproj) throws LoadException {
        try {
            return CheckedModel.read(load.modelFiles().stream().map(Path::of).toList(), mmproj).files().paths();
        } catch (CatalogException.InvalidModel e) {
            throw new LoadException("invalid_model", e.getMessage(), e);
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
        engine.submit(Messages.toEngine(request), event -> events.accept(Messages.toFrame(event)));
    }

    @Override
    public void cancel(String id) {
        engine.cancel(id);
    }

    @Override
    public WorkerFrame.EngineStats stats() {
        return Messages.toFrame(engine.stats());
    }
}
