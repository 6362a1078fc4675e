package dev.luq.catalog;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.files.DataConfig;
import dev.luq.files.DataFolder;
import dev.luq.gguf.Pooling;
import dev.luq.machine.Kernels;
import dev.luq.machine.KvType;
import dev.luq.protocol.ModelDefaults;
import dev.luq.requant.plan.Plan;
import dev.luq.requant.plan.Precision;
import io.smallrye.config.SmallRyeConfig;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CatalogTest {

    private static final Path MODELS = Path.of("src/test/resources/reference").toAbsolutePath();
    private static final String QWEN =
            MODELS.resolve("qwen2.5-vl-tiny-F16.gguf").toString();
    private static final String QWEN_MMPROJ =
            MODELS.resolve("mmproj-qwen2.5-vl-tiny-F16.gguf").toString();
    private static final String LLAVA = MODELS.resolve("llava-tiny-F16.gguf").toString();

    private static final VariantStore NO_VARIANTS = variants(Map.of());

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
        assertEquals(
                "mine", only(Map.of("luq.model", QWEN, "luq.model-id", "mine")).id());
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
        Catalog catalog = catalog(Map.of(
                "luq.models.a.model",
                LLAVA,
                "luq.models.\"z.1\".model",
                QWEN,
                "luq.models.\"z.1\".aliases",
                "gpt-4o,other",
                "luq.models.\"z.1\".default",
                "true"));
        assertEquals(
                List.of("z.1", "a"),
                catalog.entries().stream().map(CatalogEntry::id).toList());
        for (String name : Arrays.asList("z.1", "gpt-4o", "other", "", null)) {
            assertEquals("z.1", catalog.find(name).orElseThrow().id());
        }
        assertEquals("a", catalog.find("a").orElseThrow().id());
        assertTrue(catalog.find("unknown").isEmpty());
    }

    @Test
    void namesAndTheDefaultAreUnique() {
        assertThrows(
                CatalogException.Misconfigured.class,
                () -> catalog(
                        Map.of("luq.models.a.model", LLAVA, "luq.models.b.model", QWEN, "luq.models.b.aliases", "a")));
        assertThrows(
                CatalogException.Misconfigured.class,
                () -> catalog(Map.of(
                        "luq.models.a.model",
                        LLAVA,
                        "luq.models.a.default",
                        "true",
                        "luq.models.b.model",
                        QWEN,
                        "luq.models.b.default",
                        "true")));
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
        ByteBuffer.wrap(file)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(name + "output_norm.weight".length() + 16, 1L << 40);
        unusable(Map.of("luq.model", write("past.gguf", file)), "model");
    }

    @Test
    void missingFilesAreSaidToBeMissing() {
        assertEquals("The model file does not exist.", unusable(Map.of("luq.model", folder + "/none.gguf"), "model"));
        assertEquals(
                "The mmproj file does not exist.",
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

    @Test
    void aModelMayHaveKernelsOfItsOwn() {
        Catalog catalog = changing(
                Map.of("luq.models.a.model", LLAVA, "luq.models.a.kernels", "stock", "luq.models.b.model", QWEN));
        assertEquals(
                Optional.of(Kernels.STOCK),
                catalog.find("a").orElseThrow().settings().kernels());
        assertEquals(
                Optional.empty(), catalog.find("b").orElseThrow().settings().kernels());
        assertEquals(
                Optional.of(Kernels.STOCK),
                catalog.prepare("a", Optional.empty()).settings().kernels());
    }

    @Test
    void aModelHasSettingsAndDefaultsOfItsOwn() {
        ModelSettings own = only(Map.ofEntries(
                        Map.entry("luq.models.a.model", LLAVA),
                        Map.entry("luq.models.a.load", "demand"),
                        Map.entry("luq.models.a.keep-alive", "1h30m"),
                        Map.entry("luq.models.a.pinned", "true"),
                        Map.entry("luq.models.a.context-size", "1024"),
                        Map.entry("luq.models.a.slots", "2"),
                        Map.entry("luq.models.a.kv-cache-type", "q8_0"),
                        Map.entry("luq.models.a.image-max-tokens", "64"),
                        Map.entry("luq.models.a.pooling", "last"),
                        Map.entry("luq.models.a.chat-template", "chatml"),
                        Map.entry("luq.models.a.defaults.temperature", "0.2"),
                        Map.entry("luq.models.a.slot-context-size", "512"),
                        Map.entry("luq.models.a.tags", "small,fast"),
                        Map.entry("luq.models.a.defaults.top-p", "0.9"),
                        Map.entry("luq.models.a.defaults.top-k", "40"),
                        Map.entry("luq.models.a.defaults.min-p", "0.05"),
                        Map.entry("luq.models.a.defaults.repeat-penalty", "1.1"),
                        Map.entry("luq.models.a.defaults.max-tokens", "100"),
                        Map.entry("luq.models.a.defaults.seed", "42"),
                        Map.entry("luq.models.a.defaults.enable-thinking", "false"),
                        Map.entry("luq.models.a.defaults.system-prompt", "Be brief.")))
                .settings();
        assertEquals(
                new ModelSettings(
                        LoadPolicy.DEMAND,
                        Optional.of(true),
                        Optional.of(KeepAlive.of("90m")),
                        Optional.empty(),
                        Optional.of(KvType.Q8_0),
                        OptionalInt.of(1024),
                        OptionalInt.of(512),
                        OptionalInt.of(2),
                        OptionalInt.of(64),
                        Optional.of(Pooling.LAST),
                        Optional.of("chatml"),
                        List.of("small", "fast"),
                        new ModelDefaults(0.2, 0.9, 40, 0.05, 1.1, 100, 42L, "Be brief.", false)),
                own);
    }

    @Test
    void aModelHasTheChatTemplateOfAFile() throws IOException {
        Path file = Files.writeString(folder.resolve("template.jinja"), "{{ 'Grüße' }}");
        assertEquals(
                Optional.of("{{ 'Grüße' }}"),
                only(Map.of("luq.models.a.model", LLAVA, "luq.models.a.chat-template-file", file.toString()))
                        .settings()
                        .chatTemplate());
    }

    @ParameterizedTest
    @CsvSource({"0, cannot be read", "1, is no text in UTF-8", "1048577, has more than 1048576 bytes"})
    void aChatTemplateThatCannotBeReadEndsTheStart(int bytes, String reason) throws IOException {
        Path file = folder.resolve("template.jinja");
        if (bytes > 0) {
            byte[] content = new byte[bytes];
            content[0] = (byte) 0xff;
            Files.write(file, content);
        }
        assertMisconfigured(
                Map.of("luq.models.a.model", LLAVA, "luq.models.a.chat-template-file", file.toString()),
                "luq.models.\"a\".chat-template-file: " + file + " " + reason);
    }

    @Test
    void plainTextIsNoChatTemplate() {
        assertMisconfigured(
                Map.of("luq.models.a.model", LLAVA, "luq.models.a.chat-template", "This is no chat template"),
                "luq.models.\"a\".chat-template is no Jinja template");
    }

    @Test
    void aModelHasOneChatTemplate() {
        assertMisconfigured(
                Map.of(
                        "luq.models.a.model", LLAVA,
                        "luq.models.a.chat-template", "chatml",
                        "luq.models.a.chat-template-file", "template.jinja"),
                "luq.models.\"a\".chat-template and luq.models.\"a\".chat-template-file are both set");
    }

    private void assertMisconfigured(Map<String, String> config, String message) {
        CatalogException.Misconfigured refused =
                assertThrows(CatalogException.Misconfigured.class, () -> catalog(config));
        assertTrue(refused.getMessage().startsWith(message), refused.getMessage());
    }

    @Test
    void modelsLoadedAtTheStartStayAndOthersGoAfterFiveMinutes() {
        Catalog catalog =
                catalog(Map.of("luq.models.a.model", LLAVA, "luq.models.b.model", QWEN, "luq.models.b.load", "demand"));
        ModelSettings start = catalog.find("a").orElseThrow().settings();
        assertTrue(start.isPinned());
        assertEquals(KeepAlive.NEVER, start.keepsAlive());
        ModelSettings demand = catalog.find("b").orElseThrow().settings();
        assertFalse(demand.isPinned());
        assertEquals(KeepAlive.of("5m"), demand.keepsAlive());
    }

    @ParameterizedTest
    @CsvSource({
        "slots, 0",
        "context-size, -1",
        "defaults.temperature, 2.5",
        "defaults.min-p, NaN",
        "defaults.max-tokens, 0"
    })
    void aSettingThatCannotBeIsNamedAtTheStart(String key, String value) {
        CatalogException.Misconfigured refused = assertThrows(
                CatalogException.Misconfigured.class,
                () -> catalog(Map.of("luq.models.a.model", LLAVA, "luq.models.a." + key, value)));
        assertTrue(refused.getMessage().startsWith("luq.models.\"a\"." + key), refused.getMessage());
    }

    // ---- changes at run time ---------------------------------------------------------------------------------------

    @Test
    void aRegisteredModelOutlivesTheServer() {
        Map<String, String> config = Map.of("luq.models.a.model", LLAVA, "luq.data-dir", folder + "/data");
        catalog(config)
                .register(
                        "b",
                        Path.of(QWEN),
                        Optional.of(Path.of(QWEN_MMPROJ)),
                        List.of("bee"),
                        ModelSettings.of(
                                LoadPolicy.DEMAND,
                                Optional.empty(),
                                Optional.of(KeepAlive.of("90s")),
                                Optional.of(Kernels.COMPACT)));
        CatalogEntry again = catalog(config).find("bee").orElseThrow();
        assertEquals("b", again.id());
        assertTrue(again.registered());
        assertEquals(Optional.of(Path.of(QWEN_MMPROJ)), again.mmproj());
        assertEquals(Optional.of(Kernels.COMPACT), again.settings().kernels());
        assertEquals(LoadPolicy.DEMAND, again.settings().load());
        assertEquals(KeepAlive.of("90s"), again.settings().keepsAlive());
        assertEquals(Optional.empty(), again.problem());
        catalog(config).unregister("b");
        assertTrue(catalog(config).find("b").isEmpty());
    }

    @Test
    void whatCannotBeServedIsNotRegistered() throws IOException {
        Catalog catalog = changing(Map.of("luq.models.a.model", LLAVA));
        assertThrows(
                CatalogException.InvalidModel.class,
                () -> catalog.register("b", Path.of(QWEN_MMPROJ), Optional.empty(), List.of(), ModelSettings.NONE));
        assertThrows(
                CatalogException.Conflict.class,
                () -> catalog.register("b", Path.of(QWEN), Optional.empty(), List.of("a"), ModelSettings.NONE));
        assertEquals(1, catalog.entries().size());
        assertFalse(Files.exists(folder.resolve("data").resolve("catalog.json")));
    }

    @Test
    void configuredModelsAndTheDefaultStay() {
        Catalog catalog = changing(Map.of("luq.models.a.model", LLAVA));
        catalog.register("b", Path.of(QWEN), Optional.empty(), List.of(), ModelSettings.NONE);
        assertThrows(CatalogException.Conflict.class, () -> catalog.unregister("a"));
        catalog.setDefault("b");
        assertThrows(CatalogException.Conflict.class, () -> catalog.unregister("b"));
        assertThrows(CatalogException.NotFound.class, () -> catalog.unregister("c"));
        catalog.setDefault("a");
        catalog.unregister("b");
        assertEquals(
                List.of("a"), catalog.entries().stream().map(CatalogEntry::id).toList());
    }

    @Test
    void theDefaultAliasesAndWhatIsUnloadedAreRemembered() {
        Map<String, String> config =
                Map.of("luq.models.a.model", LLAVA, "luq.models.a.aliases", "x", "luq.models.b.model", QWEN);
        Catalog catalog = changing(config);
        catalog.setDefault("b");
        catalog.setAliases("a", List.of("y"));
        catalog.setUnloaded("a", true);
        assertThrows(CatalogException.Conflict.class, () -> catalog.setAliases("b", List.of("y")));
        for (Catalog each : List.of(catalog, changing(config))) {
            assertEquals("b", each.find(null).orElseThrow().id());
            assertTrue(each.find("x").isEmpty());
            assertTrue(each.find("y").orElseThrow().unloaded());
        }
    }

    @Test
    void namesThatAreConfiguredLaterWin() {
        Catalog before = changing(Map.of("luq.models.a.model", LLAVA));
        before.setAliases("a", List.of("b"));
        before.register("c", Path.of(QWEN), Optional.empty(), List.of(), ModelSettings.NONE);
        Catalog after =
                changing(Map.of("luq.models.a.model", LLAVA, "luq.models.b.model", QWEN, "luq.models.c.model", LLAVA));
        assertEquals("b", after.find("b").orElseThrow().id());
        assertFalse(after.find("c").orElseThrow().registered());
    }

    @Test
    void theActiveVariantIsServedAlsoAfterARestart() {
        Variant variant = variant("v1", QWEN);
        Variant other = variant("v2", LLAVA);
        VariantStore store = variants(Map.of("v1", variant, "v2", other));
        Map<String, String> config = Map.of(
                "luq.models.a.model", QWEN, "luq.models.a.mmproj", QWEN_MMPROJ, "luq.data-dir", folder + "/data");
        Catalog catalog = catalog(config, store);
        CatalogEntry prepared = catalog.prepare("a", Optional.of("v1"));
        assertEquals(Optional.empty(), catalog.find("a").orElseThrow().variant());
        catalog.activate(prepared);
        for (Catalog each : List.of(catalog, catalog(config, store))) {
            CatalogEntry entry = each.find("a").orElseThrow();
            assertEquals(Optional.of(variant), entry.variant());
            assertEquals(Optional.of(Path.of(QWEN_MMPROJ)), entry.mmproj(), "the base's, as the variant has none");
        }
        assertThrows(CatalogException.Conflict.class, () -> catalog.prepare("a", Optional.of("v2")), "another model's");
        assertThrows(CatalogException.NotFound.class, () -> catalog.prepare("a", Optional.of("v3")));
        assertThrows(CatalogException.Conflict.class, () -> catalog.deleteVariant("v1"), "it is active");
        assertThrows(CatalogException.NotFound.class, () -> catalog.deleteVariant("v3"));

        ActiveVariants.set(new DataFolder(folder.resolve("data")), "a", Optional.of("v3"));
        CatalogEntry lost = catalog(config, store).find("a").orElseThrow();
        assertTrue(lost.problem().orElseThrow().contains("v3"), lost.toString());
        ActiveVariants.set(new DataFolder(folder.resolve("data")), "a", Optional.of("v2"));
        CatalogEntry replaced = catalog(config, store).find("a").orElseThrow();
        assertEquals(Optional.empty(), replaced.problem(), "of other files than before");
        assertEquals(Optional.empty(), replaced.variant());
        ActiveVariants.set(new DataFolder(folder.resolve("data")), "a", Optional.empty());
        assertEquals(
                Optional.empty(), catalog(config, store).find("a").orElseThrow().problem());
    }

    @Test
    void aVariantThatIsDeletedMeanwhileIsNotActivated() {
        Map<String, Variant> known = new HashMap<>(Map.of("v1", variant("v1", QWEN)));
        Map<String, String> config = Map.of("luq.models.a.model", QWEN, "luq.data-dir", folder + "/data");
        Catalog catalog = catalog(config, variants(known));
        CatalogEntry prepared = catalog.prepare("a", Optional.of("v1"));
        known.clear();
        assertThrows(CatalogException.NotFound.class, () -> catalog.activate(prepared));
        assertEquals(Optional.empty(), catalog.get("a").variant());
        assertEquals(Optional.empty(), catalog(config).get("a").problem());
    }

    @Test
    void aVariantThatAnotherServerOfTheDataFolderServesIsNotDeleted() {
        VariantStore store = variants(Map.of("v1", variant("v1", QWEN)));
        String data = folder + "/data";
        Catalog one = catalog(Map.of("luq.models.a.model", QWEN, "luq.data-dir", data), store);
        Catalog same = catalog(Map.of("luq.models.a.model", QWEN, "luq.data-dir", data), store);
        Catalog other = catalog(Map.of("luq.models.b.model", QWEN, "luq.data-dir", data), store);
        one.activate(one.prepare("a", Optional.of("v1")));
        assertThrows(CatalogException.Conflict.class, () -> same.deleteVariant("v1"));
        String refused = assertThrows(CatalogException.Conflict.class, () -> other.deleteVariant("v1"))
                .getMessage();
        assertTrue(refused.contains("This server has no such model"), refused);
        one.activate(one.prepare("a", Optional.empty()));
        assertThrows(CatalogException.NotFound.class, () -> other.deleteVariant("v1"), "the store is asked");
    }

    @Test
    void anActivationThatIsNotSavedIsSeenAndSavedByTheNextOne() throws IOException {
        VariantStore store = variants(Map.of("v1", variant("v1", QWEN)));
        Map<String, String> config = Map.of("luq.models.a.model", QWEN, "luq.data-dir", folder + "/data");
        Catalog catalog = catalog(config, store);
        CatalogEntry prepared = catalog.prepare("a", Optional.of("v1"));
        Path data = Files.writeString(folder.resolve("data"), "a file where the folder should be");
        assertThrows(CatalogException.NotSaved.class, () -> catalog.activate(prepared));
        assertEquals(prepared.variant(), catalog.get("a").variant());
        Files.delete(data);
        catalog.activate(catalog.prepare("a", Optional.of("v1")));
        assertEquals(prepared.variant(), catalog(config, store).get("a").variant());
    }

    @Test
    void aCatalogueThatCannotBeUnderstoodIsNotOverwritten() throws IOException {
        Files.createDirectories(folder.resolve("data"));
        Path file = Files.writeString(folder.resolve("data").resolve("catalog.json"), "{\"version\":1,\"models\":[");
        String message = assertThrows(
                        CatalogException.Misconfigured.class, () -> changing(Map.of("luq.models.a.model", LLAVA)))
                .getMessage();
        assertTrue(message.contains("catalog.json"), message);
        assertThrows(
                CatalogException.Misconfigured.class,
                () -> ActiveVariants.set(new DataFolder(file.getParent()), "a", Optional.empty()));
        assertEquals("{\"version\":1,\"models\":[", Files.readString(file));
    }

    @Test
    void aChangeThatTheDiskDoesNotTakeIsNone() throws IOException {
        Catalog catalog = changing(Map.of("luq.models.a.model", LLAVA));
        Files.writeString(folder.resolve("data"), "a file where the folder should be");
        assertThrows(
                CatalogException.NotSaved.class,
                () -> catalog.register("b", Path.of(QWEN), Optional.empty(), List.of(), ModelSettings.NONE));
        assertTrue(catalog.find("b").isEmpty());
    }

    private Catalog changing(Map<String, String> config) {
        Map<String, String> all = new HashMap<>(config);
        all.put("luq.data-dir", folder.resolve("data").toString());
        return catalog(all);
    }

    private static Variant variant(String id, String file) {
        Plan plan = Plan.uniform(2, Precision.IQ1_M, Precision.Q4_K_M, Precision.F16);
        return new Variant(
                id,
                "base",
                Instant.EPOCH,
                List.of(Path.of(file)),
                Optional.empty(),
                Optional.of("60%"),
                1,
                plan,
                Map.of("mean_kld", 0.1));
    }

    private static VariantStore variants(Map<String, Variant> known) {
        return new VariantStore() {
            @Override
            public Variant find(String id) {
                return Optional.ofNullable(known.get(id))
                        .orElseThrow(() -> new CatalogException.NotFound("There is no variant " + id));
            }

            @Override
            public List<Variant> all() {
                return List.copyOf(known.values());
            }

            @Override
            public Lease lease(String id) {
                return () -> {};
            }

            @Override
            public void delete(String id) {
                throw new CatalogException.NotFound("There is no variant " + id);
            }
        };
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
        return catalog(config, NO_VARIANTS);
    }

    private static Catalog catalog(Map<String, String> config, VariantStore variants) {
        SmallRyeConfigBuilder builder =
                new SmallRyeConfigBuilder().withMapping(CatalogConfig.class).withMapping(DataConfig.class);
        config.forEach(builder::withDefaultValue);
        SmallRyeConfig read = builder.build();
        return new Catalog(
                read.getConfigMapping(CatalogConfig.class),
                new DataFolder(read.getConfigMapping(DataConfig.class).dataDir()),
                variants);
    }

    private String write(String name, byte[] content) throws IOException {
        return Files.write(folder.resolve(name), content).toString();
    }

    private static int indexOf(byte[] file, String text) {
        byte[] wanted = text.getBytes(UTF_8);
        for (int i = 0; i < file.length - wanted.length; i++) {
            if (Arrays.equals(file, i, i + wanted.length, wanted, 0, wanted.length)) {
                return i;
            }
        }
        throw new AssertionError(text + " is not in the file");
    }
}
