package dev.luq.llama;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.preset.global.llama;
import dev.luq.preset.luq_sampler;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.bytedeco.javacpp.BytePointer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The inputs of native/fuzz, without the checks of a fuzzing build and through the bindings: each is refused or read within
 * seconds, and the process lives.
 */
@Integration
class NativeCorpusTest {

    private static final Path CORPUS = Path.of("native/fuzz/corpus");
    private static final Path TARGETS = Path.of("native/fuzz/targets");
    /** Those of native/fuzz/targets/schema.cpp. */
    private static final Map<String, String> PATTERNS =
            Map.of("^a$", "\"a\"", "b", "char* \"b\" char*", "states", "(\"a\"?){0,1999} \"b\"");

    private static final Duration LONGEST = Duration.ofSeconds(20);

    private interface Replay {
        void run(byte[] input) throws IOException;
    }

    @TestFactory
    List<DynamicTest> inputsAreRefusedOrRead() throws IOException {
        List<DynamicTest> tests = new ArrayList<>();
        for (String target : list(CORPUS)) {
            Replay replay = replay(target);
            for (String file : list(CORPUS.resolve(target))) {
                byte[] input = Files.readAllBytes(CORPUS.resolve(target).resolve(file));
                tests.add(DynamicTest.dynamicTest(
                        target + "/" + file,
                        () -> assertTimeoutPreemptively(LONGEST, () -> {
                            try {
                                replay.run(input);
                            } catch (LlamaException | IllegalArgumentException refused) {
                                // as it may be
                            }
                        })));
            }
        }
        return tests;
    }

    @Test
    void everyTargetHasInputs() throws IOException {
        Set<String> targets = new TreeSet<>();
        for (String file : list(TARGETS)) {
            targets.add(file.replace(".cpp", ""));
        }
        assertEquals(targets, new TreeSet<>(list(CORPUS)));
    }

    /** The shim wants every option; without one of them these inputs would test nothing but that. */
    @ParameterizedTest
    @ValueSource(strings = {"sampling.json", "grammar.json"})
    void optionsOfTheCorpusMakeASampler(String file) throws IOException {
        assertTrue(makesSampler(Files.readAllBytes(CORPUS.resolve("options").resolve(file))), Native::lastError);
    }

    private static List<String> list(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    private static Replay replay(String target) {
        return switch (target) {
            case "schema" -> input -> sample(Schemas.toGrammar(text(input, 0), PATTERNS));
            case "grammar" -> input -> sample(text(input, 1));
            case "request" -> input -> apply(template(), text(input, 1));
            case "template" ->
                input -> apply(text(input, 0), "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"tools\":[]}");
            case "message" -> NativeCorpusTest::parse;
            case "options" -> NativeCorpusTest::makesSampler;
            default -> throw new IllegalArgumentException("nothing replays " + target);
        };
    }

    private static String text(byte[] input, int from) {
        return new String(Arrays.copyOfRange(input, Math.min(from, input.length), input.length), UTF_8);
    }

    private static String template() throws IOException {
        return Files.readString(Path.of("src/test/resources/tool-calls.jinja"));
    }

    private static void sample(String grammar) {
        Model model = TinyModels.model(TinyModels.LLAVA);
        try (Context context = TinyModels.context(TinyModels.LLAVA, 1);
                TokenBatch first = TokenBatch.create(1);
                Sampler sampler = Sampler.create(
                        model, new SamplerOptions(2, 1, 0, 0, 0, 0, 1, 7, Map.of()), GrammarOptions.of(grammar))) {
            first.add(1, 0, 0, true);
            context.decode(first);
            for (int i = 0; i < 8 && !model.vocabulary().isEndOfGeneration(sampler.sample(context, 0)); i++) {}
        }
    }

    private static void apply(String jinja, String request) {
        try (ChatTemplates templates = ChatTemplates.of(TinyModels.model(TinyModels.LLAVA), jinja)) {
            templates.supportsTools();
            templates.apply(request);
        }
    }

    /** As a stream: the text grows by a few bytes at a time. */
    private static void parse(byte[] input) throws IOException {
        String request =
                "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"tools\":[{\"type\":\"function\",\"function\":"
                        + "{\"name\":\"weather\",\"parameters\":{\"type\":\"object\"}}}]}";
        String whole = text(input, 2);
        try (ChatTemplates templates = ChatTemplates.of(TinyModels.model(TinyModels.LLAVA), template());
                MessageParser parser = templates.parser(templates.apply(request))) {
            int step = 1 + whole.length() / 64;
            for (int end = step; end < whole.length(); end += step) {
                parser.update(whole.substring(0, end), true);
            }
            parser.update(whole, false);
        }
    }

    private static boolean makesSampler(byte[] input) {
        Model model = TinyModels.model(TinyModels.LLAVA);
        try (BytePointer options = Native.utf8(text(input, 0))) {
            luq_sampler sampler = llama.luq_sampler_init(model.pointer(), options);
            if (sampler == null) {
                return false;
            }
            llama.luq_sampler_free(sampler);
            return true;
        }
    }
}
