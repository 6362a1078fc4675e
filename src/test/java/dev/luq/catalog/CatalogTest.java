package dev.luq.catalog;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallrye.config.SmallRyeConfigBuilder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CatalogTest {

    private static final Path MODELS = Path.of("src/test/resources/reference").toAbsolutePath();
    private static final String QWEN = MODELS.resolve("qwen2.5-vl-tiny-F16.gguf").toString();
    private static final String QWEN_MMPROJ = MODELS.resolve("mmproj-qwen2.5-vl-tiny-F16.gguf").toString();
    private static final String LLAVA = MODELS.resolve("llava-tiny-F16.gguf").toString();

    @TempDir
    Path folder;

    @Test
    void oneModelIsNamedAfterItsFileUnlessSaidOtherwise() throws IOException {
        CatalogEntry entry = only(Map.of("luq.model", QWEN, "luq.mmproj", QWEN_MMPROJ));
        assertEquals("qwen2.5-vl-tiny-F16", entry.id());
        assertEquals(Optional.empty(), entry.problem());
        assertEquals(List.of(Path.of(QWEN)), entry.files());
        assertEquals(Optional.of(Path.of(QWEN_MMPROJ)), entry.mmproj());
        assertEquals(Files.getLastModifiedTime(Path.of(QWEN)).toMillis() / 1000, entry.created());
        CatalogEntry.Facts facts = entry.facts().orElseThrow();
        assertEquals("qwen2vl", facts.architecture());
        assertEquals(Optional.of("F16"), facts.quantization());
        assertTrue(facts.bitsPerWeight() >= 16 && facts.bitsPerWeight() < 32, () -> facts.toString());
        assertTrue(facts.mmprojBytes() > 0);
        assertEquals("mine", only(Map.of("luq.model", QWEN, "luq.model-id", "mine")).id());
    }

    @Test
    void withoutAModelTheDemoModelIsServed() throws IOException {
        Files.copy(Path.of(QWEN), folder.resolve("luq-demo-F16.gguf"));
        Files.copy(Path.of(QWEN_MMPROJ), folder.resolve("mmproj-luq-demo-F16.gguf"));
        CatalogEntry entry = only(Map.of("luq.demo-dir", folder.toString()));
        assertEquals("luq-demo", entry.id());
        assertEquals(Optional.empty(), entry.problem());
    }

    @Test
    void modelsAreFoundByIdAliasAndByDefault() {
        Catalog catalog = catalog(Map.of("luq.models.a.model", LLAVA, "luq.models.\"z.1\".model", QWEN,
                "luq.models.\"z.1\".aliases", "gpt-4o,other", "luq.models.\"z.1\".default", "true"));
        assertEquals(List.of("z.1", "a"), catalog.entries().stream().map(CatalogEntry::id).toList());
        for (String name : Arrays.asList("z.1", "gpt-4o", "other", "", null)) {
            assertEquals("z.1", catalog.find(name).orElseThrow().id());
        }
        assertEquals("a", catalog.find("a").orElseThrow().id());
        assertTrue(catalog.find("unknown").isEmpty());
    }

    @Test
    void namesAndTheDefaultAreUnique() {
        assertThrows(CatalogException.Misconfigured.class, () -> catalog(Map.of("luq.models.a.model", LLAVA,
                "luq.models.b.model", QWEN, "luq.models.b.aliases", "a")));
        assertThrows(CatalogException.Misconfigured.class, () -> catalog(Map.of("luq.models.a.model", LLAVA,
                "luq.models.a.default", "true", "luq.models.b.model", QWEN, "luq.models.b.default", "true")));
    }

    @Test
    void aFileCutOffInATensorIsUnusable() throws IOException {
        byte[] whole = Files.readAllBytes(Path.of(QWEN));
        unusable(Map.of("luq.model", write("cut.gguf", Arrays.copyOf(whole, whole.length - 1000))), "model");
        unusable(Map.of("luq.model", write("short.gguf", Arrays.copyOf(whole, 100))), "model");
    }

    @Test
    void aTensorPastTheEndIsUnusable() throws IOException {
        byte[] file = Files.readAllBytes(Path.of(QWEN));
        int name = indexOf(file, "output_norm.weight");
        // after the name: rank, one extent, type, offset
        ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).putLong(name + "output_norm.weight".length() + 16, 1L << 40);
        unusable(Map.of("luq.model", write("past.gguf", file)), "model");
    }

    @Test
    void missingFilesAreSaidToBeMissing() {
        assertEquals("The model file does not exist.", unusable(Map.of("luq.model", folder + "/none.gguf"), "model"));
        assertEquals("The mmproj file does not exist.",
                unusable(Map.of("luq.model", QWEN, "luq.mmproj", folder + "/none.gguf"), "mmproj"));
        unusable(Map.of("luq.model", folder.toString()), "model");
    }

    @Test
    void modelAndProjectorMustBePartners() throws IOException {
        unusable(Map.of("luq.model", QWEN, "luq.mmproj", LLAVA), "not a multimodal projector");
        unusable(Map.of("luq.model", QWEN_MMPROJ), "is a multimodal projector");
        unusable(Map.of("luq.model", QWEN_MMPROJ, "luq.mmproj", QWEN_MMPROJ), "is a multimodal projector");
        byte[] other = Files.readAllBytes(Path.of(QWEN));
        int key = indexOf(other, "qwen2vl.embedding_length");
        // after the key: type, value
        int at = key + "qwen2vl.embedding_length".length() + 4;
        ByteBuffer bytes = ByteBuffer.wrap(other).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putInt(at, bytes.getInt(at) * 2);
        unusable(Map.of("luq.model", write("wide.gguf", other), "luq.mmproj", QWEN_MMPROJ), "another model");
    }

    private String unusable(Map<String, String> config, String reasonPart) {
        CatalogEntry entry = only(config);
        String problem = entry.problem().orElseThrow();
        assertTrue(problem.contains(reasonPart), problem);
        assertFalse(problem.contains(folder.toString()) || problem.contains(MODELS.toString()), problem);
        assertEquals(Optional.empty(), entry.facts());
        return problem;
    }

    private static CatalogEntry only(Map<String, String> config) {
        List<CatalogEntry> entries = catalog(config).entries();
        assertEquals(1, entries.size());
        return entries.get(0);
    }

    private static Catalog catalog(Map<String, String> config) {
        SmallRyeConfigBuilder builder = new SmallRyeConfigBuilder().withMapping(CatalogConfig.class);
        config.forEach(builder::withDefaultValue);
        return new Catalog(builder.build().getConfigMapping(CatalogConfig.class));
    }

    private String write(String name, byte[] content) throws IOException {
        return Files.write(folder.resolve(name), content).toString();
    }

    private static int indexOf(byte[] file, String text) {
        byte[] wanted = text.getBytes();
        for (int i = 0; i < file.length - wanted.length; i++) {
            if (Arrays.equals(file, i, i + wanted.length, wanted, 0, wanted.length)) {
                return i;
            }
        }
        throw new AssertionError(text + " is not in the file");
    }
}
