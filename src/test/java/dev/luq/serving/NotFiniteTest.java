package dev.luq.serving;

import static dev.luq.serving.WorkerClient.answer;
import static dev.luq.serving.WorkerClient.failure;
import static dev.luq.serving.WorkerClient.request;
import static dev.luq.serving.WorkerClient.run;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.gguf.ModelFiles;
import dev.luq.llama.Model;
import dev.luq.machine.Kernels;
import dev.luq.machine.KvType;
import dev.luq.protocol.ServerFrame;
import dev.luq.protocol.WorkerFrame;
import dev.luq.requant.TestModels;
import io.smallrye.mutiny.helpers.test.AssertSubscriber;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A model that computes no numbers when one token is in its prompt, in real processes. */
@Integration
class NotFiniteTest {

    private static final String HELLO = "{\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}";
    private static final String BAD = "{\"messages\":[{\"role\":\"user\",\"content\":\"Hello Z\"}]}";

    @TempDir
    Path folder;

    private final ModelProcesses processes = new ModelProcesses();
    private SupervisedWorker worker;

    @BeforeEach
    void load() {
        TestModels.init();
    }

    @AfterEach
    void end() throws InterruptedException {
        processes.close();
    }

    @ParameterizedTest
    @EnumSource(Kernels.class)
    void suchAnAnswerIsAnErrorOfItsRequestAloneAndNamesLayerAndKernels(Kernels kernels) throws IOException {
        start(damaged(), kernels);
        String expected = answer(run(worker, request(HELLO, 12)));

        List<AssertSubscriber<WorkerFrame.OfRequest>> beside = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            beside.add(run(worker, request(HELLO, 12)));
            WorkerException.Rejected rejected = failure(WorkerException.Rejected.class, run(worker, request(BAD, 12)));
            assertEquals("non_finite_output", rejected.code());
            assertTrue(
                    rejected.getMessage()
                            .startsWith("The model's outputs are not finite numbers, first at blk.0.attn_q.weight"
                                    + " in layer 0."),
                    rejected.getMessage());
            assertTrue(
                    rejected.getMessage().contains("kernels " + kernels.name().toLowerCase(java.util.Locale.ROOT)),
                    rejected.getMessage());
        }
        beside.forEach(stream -> assertEquals(expected, answer(stream)));
        assertEquals(expected, answer(run(worker, request(HELLO, 12))));
        assertEquals(0, worker.restarts());
    }

    /** Long enough for attention in tiles, which hold what several sequences left in the cache. */
    @Test
    void longPromptsBesideItAndAfterItAreAnsweredAsAlone() throws IOException {
        start(damaged(), Kernels.FAST);
        String prompt = HELLO.replace("Hello", "one two three ".repeat(20));
        String expected = answer(run(worker, request(prompt, 12)));
        for (int i = 0; i < 3; i++) {
            AssertSubscriber<WorkerFrame.OfRequest> bad = run(worker, request(prompt.replace("three", "Z"), 12));
            AssertSubscriber<WorkerFrame.OfRequest> good = run(worker, request(prompt, 12));
            failure(WorkerException.Rejected.class, bad);
            assertEquals(expected, answer(good));
        }
    }

    /** A model whose embedding of one token is infinite. */
    private Path damaged() throws IOException {
        ModelFiles whole = TestModels.model(TestModels.LLAVA);
        int token;
        try (Model model = Model.load(whole.paths())) {
            int[] tokens = model.vocabulary().tokenize("Z", false, false);
            token = tokens[tokens.length - 1];
        }
        long width = whole.first().tensor("token_embd.weight").orElseThrow().extent(0);
        return TestModels.changed(whole, "token_embd.weight", token * width, width, 0x7c00, folder.resolve("m.gguf"));
    }

    private void start(Path model, Kernels kernels) {
        worker = processes.start(
                new ServerFrame.Load(
                        List.of(model.toString()),
                        null,
                        1024,
                        2,
                        128,
                        1,
                        1,
                        1 << 20,
                        0,
                        0,
                        0,
                        kernels,
                        KvType.F16,
                        null),
                ModelProcesses.CONFIG);
        WorkerClient.ready(worker);
    }
}
