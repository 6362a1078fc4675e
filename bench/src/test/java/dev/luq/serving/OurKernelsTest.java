package dev.luq.serving;

import static dev.luq.serving.ModelProcessTest.ask;
import static dev.luq.serving.WorkerClient.answer;
import static dev.luq.serving.WorkerClient.ready;
import static dev.luq.serving.WorkerClient.run;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.luq.bench.AnswerDifference;
import dev.luq.bench.LadderMix;
import dev.luq.llama.ModelQuantizer;
import dev.luq.machine.Kernels;
import dev.luq.protocol.WorkerFrame;
import dev.luq.requant.TestModels;
import io.smallrye.mutiny.helpers.test.AssertSubscriber;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code luq bench answers} compares, on the demo model: our kernels beside llama.cpp's, in real processes. */
class OurKernelsTest {

    /** Of the questions of the demo's evaluation set one in so many. */
    private static final int EVERY = 40;

    private static final ObjectMapper JSON = new ObjectMapper();

    private final ModelProcesses processes = new ModelProcesses();

    @AfterEach
    void end() throws InterruptedException {
        processes.close();
    }

    /** Every type that our kernels multiply; importances are made up, so answers are not all right. */
    @Test
    void ourKernelsGiveTheAnswersOfLlamaCpp(@TempDir Path folder) throws IOException {
        Path demo = Path.of("models/demo/luq-demo-F16.gguf").toAbsolutePath();
        Path mixed = folder.resolve("mixed.gguf");
        TestModels.init();
        ModelQuantizer.quantize(
                demo,
                mixed,
                new ModelQuantizer.Options(
                        ModelQuantizer.FileType.Q4_K_M,
                        false,
                        LadderMix.types(16),
                        Optional.of(TestModels.importance(TestModels.read(demo))),
                        1));
        Path mmproj = demo.resolveSibling("mmproj-luq-demo-F16.gguf");
        SupervisedWorker stock = processes.start(mixed, mmproj, Kernels.STOCK);
        List<SupervisedWorker> ours =
                List.of(processes.start(mixed, mmproj, Kernels.FAST), processes.start(mixed, mmproj, Kernels.COMPACT));
        ready(stock);
        ours.forEach(WorkerClient::ready);
        Path folderOfSet = demo.resolveSibling("evaluation");
        List<String> questions = Files.readAllLines(folderOfSet.resolve("evaluation.jsonl"));
        for (int i = 0; i < questions.size(); i += EVERY) {
            JsonNode question = JSON.readTree(questions.get(i));
            List<WorkerFrame.TokenLogprob> expected = tokens(run(stock, ask(question, folderOfSet)));
            for (SupervisedWorker fast : ours) {
                Optional<AnswerDifference> difference =
                        AnswerDifference.between(expected, tokens(run(fast, ask(question, folderOfSet))));
                assertTrue(difference.map(AnswerDifference::isTie).orElse(true), () -> question + ": " + difference);
            }
        }
    }

    private static List<WorkerFrame.TokenLogprob> tokens(AssertSubscriber<WorkerFrame.OfRequest> answer) {
        answer(answer);
        return answer.getItems().stream()
                .filter(WorkerFrame.Delta.class::isInstance)
                .map(WorkerFrame.Delta.class::cast)
                .flatMap(delta -> delta.logprobs().stream())
                .toList();
    }
}
