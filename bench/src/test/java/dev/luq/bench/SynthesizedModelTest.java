package dev.luq.bench;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.gguf.GgmlType;
import dev.luq.llama.ChatTemplates;
import dev.luq.llama.Context;
import dev.luq.llama.ContextOptions;
import dev.luq.llama.Llama;
import dev.luq.llama.Model;
import dev.luq.llama.TokenBatch;
import dev.luq.llama.Vocabulary;
import dev.luq.llama.WeightScan;
import dev.luq.machine.KvType;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** llama.cpp loads and runs what the synthesizer writes. */
@Integration
class SynthesizedModelTest {

    @TempDir
    Path directory;

    @ParameterizedTest
    @EnumSource(names = {"F16", "Q8_0", "Q4_K", "Q6_K", "IQ1_M"})
    void llamaGeneratesPrintableText(GgmlType type) throws IOException {
        Path file = directory.resolve("model.gguf");
        new ModelSynthesizer(new ModelSynthesizer.Shape(2, 256, 2000, type), 3).write(file);
        Llama.init(line -> {});
        assertEquals(Optional.empty(), WeightScan.firstNonFinite(List.of(file), name -> true));
        try (Model model = Model.load(List.of(file))) {
            Vocabulary vocabulary = model.vocabulary();
            int[] prompt = vocabulary.tokenize("<|im_start|>abc abd", true, true);
            assertArrayEquals(new int[] {1998}, Arrays.copyOf(prompt, 1));
            assertEquals("<|im_start|>abc abd", text(vocabulary, prompt));
            try (ChatTemplates templates = ChatTemplates.of(model)) {
                assertTrue(templates
                        .apply("{\"messages\":[{\"role\":\"user\",\"content\":\"abc\"}],"
                                + "\"add_generation_prompt\":true}")
                        .prompt()
                        .endsWith("<|im_start|>assistant\n"));
            }
            assertTrue(text(vocabulary, generate(model, prompt, 20)).matches("[ a-z]{20,}"));
        }
    }

    private static String text(Vocabulary vocabulary, int[] tokens) {
        StringBuilder text = new StringBuilder();
        for (int token : tokens) {
            text.append(new String(vocabulary.piece(token, true), StandardCharsets.UTF_8));
        }
        return text.toString();
    }

    private static int[] generate(Model model, int[] prompt, int count) {
        int[] generated = new int[count];
        try (Context context = Context.create(model, new ContextOptions(256, 64, 1, 1, KvType.F16, true));
                TokenBatch batch = TokenBatch.create(64)) {
            int position = 0;
            int output = 0;
            for (int token : prompt) {
                output = batch.add(token, position++, 0, position == prompt.length);
            }
            for (int i = 0; i < count; i++) {
                context.decode(batch);
                generated[i] = likeliest(context.logits(output));
                batch.clear();
                output = batch.add(generated[i], position++, 0, true);
            }
        }
        return generated;
    }

    private static int likeliest(FloatBuffer logits) {
        int best = 0;
        for (int token = 1; token < logits.remaining(); token++) {
            assertTrue(Float.isFinite(logits.get(token)));
            best = logits.get(token) > logits.get(best) ? token : best;
        }
        return best;
    }
}
