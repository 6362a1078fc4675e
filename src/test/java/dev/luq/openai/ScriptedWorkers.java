package dev.luq.openai;

import dev.luq.catalog.KeepAlive;
import dev.luq.protocol.ModelInfos;
import dev.luq.protocol.ServerFrame;
import dev.luq.protocol.WorkerFrame;
import dev.luq.protocol.WorkerFrame.EngineStats;
import dev.luq.protocol.WorkerFrame.ModelInfo;
import dev.luq.protocol.WorkerFrame.OfRequest;
import dev.luq.serving.InFlightAnswer;
import dev.luq.serving.ModelWorker;
import dev.luq.serving.ModelWorkers;
import dev.luq.serving.WorkerException;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import jakarta.enterprise.inject.Alternative;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.stream.Stream;

/**
 * The port to the workers, played by a script: what the API makes of frames and failures that a real model gives only
 * by chance. Only the tests of {@link ScriptedProfile} use it. Serves the models {@code scripted}, also as {@link #ALIAS},
 * and {@code loading}; {@code embedding}, which no list has, makes embeddings of two zeros.
 */
@Alternative
@Singleton
public class ScriptedWorkers implements ModelWorkers {

    /** A name as those of Hugging Face and Ollama, with everything that paths encode. */
    public static final String ALIAS = "org/scripted:q4 100%";

    /** What the next generations do. */
    public volatile Function<ServerFrame.Generate, Multi<OfRequest>> script;

    /** What the next texts have as tokens. */
    public volatile Function<ServerFrame.Tokenize, WorkerFrame.Tokens> tokens = ScriptedWorkers::twoTokens;

    public final List<ServerFrame.Generate> requests = new CopyOnWriteArrayList<>();
    /** How long the models take to be loaded. */
    public volatile Duration loadTime = Duration.ZERO;
    /** What each generation and query was one of. */
    public final List<InFlightAnswer> answers = new CopyOnWriteArrayList<>();

    private final ModelWorker scripted = new Worker(
            "scripted",
            ModelWorker.State.READY,
            Optional.of(new ModelInfo(
                    "Scripted",
                    "qwen2vl",
                    "Q4_K - Medium",
                    1000,
                    570,
                    4.56,
                    4096,
                    32768,
                    4,
                    true,
                    true,
                    64,
                    new WorkerFrame.ModelProps("{{ jinja }}", "<s>", "</s>", "b1", List.of(2, 7)))));
    private final ModelWorker embedding = new Worker(
            "embedding",
            ModelWorker.State.READY,
            scripted.info()
                    .map(info -> ModelInfos.embedding(info, false, new WorkerFrame.EmbeddingInfo(2, true), false)));
    private final ModelWorker loading = new Worker("loading", ModelWorker.State.LOADING, Optional.empty());

    @Override
    public Optional<ModelWorker> find(String modelId) {
        return modelId == null || modelId.isEmpty() || modelId.equals(ALIAS)
                ? Optional.of(scripted)
                : Stream.of(scripted, loading, embedding)
                        .filter(worker -> worker.modelId().equals(modelId))
                        .findFirst();
    }

    @Override
    public List<ModelWorker> all() {
        return List.of(scripted, loading);
    }

    private final class Worker implements ModelWorker {
        private final String id;
        private final State state;
        private final Optional<ModelInfo> info;

        Worker(String id, State state, Optional<ModelInfo> info) {
            this.id = id;
            this.state = state;
            this.info = info;
        }

        @Override
        public String modelId() {
            return id;
        }

        @Override
        public State state() {
            return state;
        }

        @Override
        public Optional<ModelInfo> info() {
            return info;
        }

        @Override
        public EngineStats totals() {
            return new EngineStats(
                    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
        }

        @Override
        public Optional<String> failure() {
            return Optional.empty();
        }

        @Override
        public long restarts() {
            return 0;
        }

        @Override
        public int inFlight() {
            return 0;
        }

        @Override
        public Optional<Long> pid() {
            return Optional.empty();
        }

        @Override
        public <T> Multi<T> whenLoaded(
                String client, Optional<KeepAlive> keepAlive, Function<ModelInfo, Multi<T>> work) {
            Multi<T> whenLoaded = ModelWorker.super.whenLoaded(client, keepAlive, work);
            return loadTime.isZero()
                    ? whenLoaded
                    : Uni.createFrom()
                            .voidItem()
                            .onItem()
                            .delayIt()
                            .by(loadTime)
                            .onItem()
                            .transformToMulti(loaded -> whenLoaded);
        }

        @Override
        public Multi<OfRequest> generate(ServerFrame.Generate request, InFlightAnswer answer) {
            requests.add(request);
            answers.add(answer);
            return script.apply(request);
        }

        @Override
        @SuppressWarnings("unchecked") // a query is answered with what it asks for
        public <R extends WorkerFrame.QueryResult> Uni<R> query(ServerFrame.Query<R> query, InFlightAnswer answer) {
            answers.add(answer);
            return Uni.createFrom().item(() -> (R) answer(query));
        }
    }

    private static WorkerFrame.Tokens twoTokens(ServerFrame.Tokenize query) {
        return new WorkerFrame.Tokens(query.id(), new int[] {1, 2}, null);
    }

    private WorkerFrame.QueryResult answer(ServerFrame.Query<?> query) {
        String id = query.id();
        if (query instanceof ServerFrame.CountTokens) {
            return new WorkerFrame.TokenCount(id, 25, 4);
        } else if (query instanceof ServerFrame.ReadSlots) {
            return new WorkerFrame.Slots(id, List.of());
        } else if (query instanceof ServerFrame.Tokenize tokenize) {
            return tokens.apply(tokenize);
        } else if (query instanceof ServerFrame.Embed embed) {
            return new WorkerFrame.Embeddings(
                    id,
                    embed.prompts().stream()
                            .map(prompt -> new WorkerFrame.Embedding(1, new float[2]))
                            .toList());
        }
        return new WorkerFrame.Text(id, "text");
    }

    /** A generation of these pieces of text, a token each. */
    public static Multi<OfRequest> text(ServerFrame.Generate request, String... pieces) {
        return Multi.createBy()
                .concatenating()
                .streams(
                        begun(
                                request,
                                pieces.length,
                                i -> new WorkerFrame.Delta(request.id(), pieces[i], null, null, i + 1)),
                        Multi.createFrom().item(finished(request, "stop", pieces.length)));
    }

    /** A generation that is accepted, and so many frames of it. */
    public static Multi<OfRequest> begun(ServerFrame.Generate request, int count, IntFunction<OfRequest> frame) {
        return Multi.createBy()
                .concatenating()
                .streams(
                        Multi.createFrom().item(accepted(request)),
                        Multi.createFrom().range(0, count).map(frame::apply));
    }

    /** Of a prompt of 12 tokens, of which the cache had 3. */
    public static OfRequest progress(ServerFrame.Generate request, WorkerFrame.Phase phase, float share) {
        return new WorkerFrame.Progress(request.id(), phase, share, 3, 3 + (int) (9 * share), 12);
    }

    public static OfRequest accepted(ServerFrame.Generate request) {
        return new WorkerFrame.Accepted(request.id(), 12, 4, 3);
    }

    public static OfRequest delta(ServerFrame.Generate request, String content) {
        return new WorkerFrame.Delta(request.id(), content, null, null, 1);
    }

    public static OfRequest toolCall(
            ServerFrame.Generate request, int index, String id, String name, String arguments) {
        return new WorkerFrame.Delta(
                request.id(), null, new WorkerFrame.ToolCallDelta(index, id, name, arguments), null, 1);
    }

    public static OfRequest finished(ServerFrame.Generate request, String reason, int tokens) {
        return new WorkerFrame.Finished(request.id(), reason, null, tokens, new WorkerFrame.Timings(1, 10, 20, 5));
    }

    /** @param before what comes before the failure */
    public static Multi<OfRequest> failing(WorkerException failure, OfRequest... before) {
        return Multi.createBy()
                .concatenating()
                .streams(Multi.createFrom().items(before), Multi.createFrom().failure(failure));
    }
}
