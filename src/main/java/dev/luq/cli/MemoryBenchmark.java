package dev.luq.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** {@code luq bench memory}: resident memory of the server and its worker, without the model. */
@Command(name = "memory", mixinStandardHelpOptions = true,
        description = "Measures the resident memory of server and worker without the model.",
        footer = {"", "A model of a million weights is served with a context of 512 tokens, one question is answered,"
            + " then the kernel is asked (/proc/PID/smaps). Pages of the mapped model file are left out; caches and"
            + " compute buffers of that small model are counted."})
final class MemoryBenchmark implements Callable<Integer> {

    @Override
    public Integer call() throws IOException {
        Path model = Files.createTempFile("luq-bench-", ".gguf");
        try {
            new ModelSynthesizer(ModelSynthesizer.Shape.tiny(), 1).write(model);
            List<String> options = List.of("--model", model.toString(), "-Dluq.worker.context-size=512");
            try (ServerProcess server = ServerProcess.start(options, Duration.ofMinutes(5))) {
                answerOnce(new CompletionClient(server.address(), Optional.empty()));
                report(server.handle());
            }
        } finally {
            Files.deleteIfExists(model);
        }
        return 0;
    }

    private static void answerOnce(CompletionClient client) {
        ObjectNode request = CompletionClient.JSON.createObjectNode();
        request.put("model", client.get("/v1/models").path("data").path(0).path("id").asText());
        request.put("stream", true).put("max_completion_tokens", 32);
        request.putArray("messages").addObject().put("role", "user").put("content", "abc def");
        client.stream(request, text -> { });
    }

    private static void report(ProcessHandle server) {
        List<ProcessHandle> workers = server.descendants().toList();
        if (workers.isEmpty()) {
            throw new CliException("The server has no worker process.");
        }
        System.out.println("MiB without the model      RSS      PSS");
        long resident = print("server", ProcessMemory.of(server.pid()));
        for (ProcessHandle worker : workers) {
            resident += print("worker", ProcessMemory.of(worker.pid()));
        }
        System.out.printf("%-22s %7.1f%n", "together", resident / 1048576.0);
    }

    private static long print(String label, ProcessMemory memory) {
        System.out.printf("%-22s %7.1f  %7.1f%n", label, memory.residentWithoutModel() / 1048576.0,
                memory.proportionalWithoutModel() / 1048576.0);
        return memory.residentWithoutModel();
    }
}
