package dev.luq;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import jakarta.annotation.security.RolesAllowed;
import jakarta.ws.rs.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Which room may import which. */
class ImportTableTest {

    private static final String BASE = "dev.luq";

    /** Room to the rooms that it may import. The worker's two halves are rows of their own, as the decoder's. */
    private static final Map<String, List<String>> TABLE = new LinkedHashMap<>();

    static {
        TABLE.put("files", List.of());
        TABLE.put("gguf", List.of("files"));
        // what the machine offers: everybody may ask
        TABLE.put("machine", List.of("files"));
        TABLE.put("llama", List.of("gguf", "machine"));
        TABLE.put("requant.plan", List.of("gguf", "machine"));
        TABLE.put("requant.store", List.of("files", "gguf", "requant.plan"));
        TABLE.put("requant.quantize", List.of("files", "gguf", "llama", "requant.plan", "requant.store"));
        // what is accepted of clients' schemas: asked on both sides of the pipe
        TABLE.put("schema", List.of());
        TABLE.put("engine", List.of("llama", "schema"));
        TABLE.put("images", List.of("files"));
        TABLE.put("requant.data", List.of("files"));
        TABLE.put("catalog", List.of("files", "gguf", "requant.plan", "requant.spec", "requant.store"));
        TABLE.put("requant.lanes", List.of());
        TABLE.put("requant.measure", List.of("files", "requant.data", "requant.feed", "requant.lanes"));
        // a job's description and state: the server reads and writes them
        TABLE.put("requant.spec", List.of("files", "requant.plan"));
        TABLE.put("requant.report", List.of("requant.plan", "requant.measure", "requant.spec"));
        TABLE.put("requant.pipeline", List.of("files", "gguf", "llama", "engine", "requant.plan", "requant.store", "requant.quantize", "requant.data",
                "requant.feed", "requant.calibrate", "requant.rank", "requant.measure", "requant.spec", "requant.report", "machine"));
        TABLE.put("requant.feed", List.of("images", "llama", "engine", "requant.data"));
        TABLE.put("requant.calibrate", List.of("files", "gguf", "llama", "requant.data", "requant.feed"));
        TABLE.put("requant.rank", List.of("gguf", "llama", "requant.plan", "requant.feed", "requant.calibrate", "requant.lanes", "machine"));
        TABLE.put("worker.protocol", List.of("requant.plan"));
        // what supervises: the server's half never sees native code
        TABLE.put("worker", List.of("files", "gguf", "requant.plan", "worker.protocol", "catalog", "machine"));
        // what runs in the child process; started by name, imported by nobody but the entry point
        TABLE.put("worker.child", List.of("files", "worker.protocol", "requant.plan", "catalog", "engine", "llama", "gguf",
                "machine"));
        TABLE.put("decoder.protocol", List.of("images"));
        // the pool of processes that decode foreign images
        TABLE.put("decoder", List.of("images", "decoder.protocol", "worker", "machine"));
        // what runs in such a process: no native code of ours, no library but the decoders
        TABLE.put("decoder.child", List.of("images", "decoder.protocol"));
        TABLE.put("jobs.protocol", List.of("requant.spec"));
        TABLE.put("jobs", List.of("files", "jobs.protocol", "catalog", "worker", "worker.protocol", "requant.plan", "requant.spec"));
        TABLE.put("jobs.sets", List.of("files", "catalog", "requant.data", "requant.spec"));
        // what runs in the child process, as the worker's
        TABLE.put("jobs.child", List.of("files", "jobs.protocol", "worker.protocol", "requant.spec", "requant.pipeline"));
        TABLE.put("openai", List.of("files", "images", "decoder", "schema", "worker", "worker.protocol", "catalog",
                "machine"));
        TABLE.put("admin", List.of("files", "gguf", "requant.plan", "requant.spec", "catalog", "worker", "worker.protocol", "jobs",
                "jobs.sets", "openai", "machine"));
        TABLE.put("telemetry", List.of("decoder", "worker", "worker.protocol", "jobs", "catalog", "requant.spec", "openai"));
        TABLE.put("cli", List.of("files", "gguf", "llama", "worker", "worker.protocol", "catalog", "requant.plan", "requant.store",
                "requant.quantize", "requant.data", "requant.calibrate", "requant.measure", "requant.spec", "requant.pipeline", "requant.report", "machine"));
    }

    /** Rooms whose packages are told apart. */
    private static final Set<String> SPLIT = Set.of("worker", "jobs", "decoder");
    private static final Set<String> ROOMS_WITH_JAX_RS = Set.of("openai", "admin", "telemetry");

    private static JavaClasses main;

    @BeforeAll
    static void read() {
        main = new ClassFileImporter().withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_JARS).importPackages(BASE);
    }

    @TestFactory
    List<DynamicTest> roomsImportWhatTheTableAllows() {
        List<DynamicTest> tests = new ArrayList<>();
        TABLE.keySet().forEach(room -> tests.add(DynamicTest.dynamicTest(room, () -> importsOf(BASE, room).check(main))));
        return tests;
    }

    @TestFactory
    List<DynamicTest> onlyTheseRoomsAnswerHttp() {
        List<DynamicTest> tests = new ArrayList<>();
        TABLE.keySet().stream().filter(room -> !ROOMS_WITH_JAX_RS.contains(room)).forEach(room ->
                tests.add(DynamicTest.dynamicTest(room, () -> noHttp(BASE, room).check(main))));
        return tests;
    }

    @Test
    void onlyLlamaKnowsNativeCode() {
        onlyLlamaKnowsNativeCode(BASE).check(main);
    }

    /** A resource that does not say who may ask answers nobody; better to hear of it here. */
    @Test
    void everyResourceSaysWhoMayAskIt() {
        classes().that().areAnnotatedWith(Path.class).should().beAnnotatedWith(RolesAllowed.class).check(main);
        classes().that(in(BASE, "admin")).and().areAnnotatedWith(Path.class).should(beForAdministrators()).check(main);
    }

    private static ArchCondition<JavaClass> beForAdministrators() {
        return ArchCondition.from(DescribedPredicate.describe("be for administrators", type ->
                List.of(type.getAnnotationOfType(RolesAllowed.class).value()).equals(List.of("admin"))));
    }

    /** A rule about nothing would never fail: every row of the table has classes, and every class a row. */
    @Test
    void theTableIsThatOfTheTree() {
        Set<String> found = new TreeSet<>();
        for (JavaClass type : main) {
            if (!type.isEquivalentTo(LuqServer.class)) {
                found.add(room(type));
            }
        }
        assertEquals(new TreeSet<>(TABLE.keySet()), found);
    }

    @Test
    void aRoomThatImportsWhatItMayNotIsFound() {
        JavaClasses broken = new ClassFileImporter().importPackages(BASE + ".architecture");
        String base = BASE + ".architecture.broken";
        assertThrows(AssertionError.class, () -> importsOf(base, "openai").check(broken), "openai uses llama");
        assertThrows(AssertionError.class, () -> importsOf(base, "worker").check(broken), "the server's half uses the child's");
        assertThrows(AssertionError.class, () -> importsOf(base, "catalog").check(broken), "catalog uses telemetry");
        assertThrows(AssertionError.class, () -> noHttp(base, "engine").check(broken), "engine uses JAX-RS");
        assertThrows(AssertionError.class, () -> onlyLlamaKnowsNativeCode(base).check(broken), "engine uses JavaCPP");
        importsOf(base, "llama").check(broken);
    }

    @Test
    void nobodyMayImportTelemetryOrTheCommands() {
        assertTrue(TABLE.containsKey("telemetry") && TABLE.containsKey("cli"));
        TABLE.values().forEach(allowed -> {
            assertFalse(allowed.contains("telemetry"));
            assertFalse(allowed.contains("cli"));
        });
    }

    private static ArchRule importsOf(String base, String room) {
        List<String> allowed = new ArrayList<>(packages(base, room));
        TABLE.get(room).forEach(other -> allowed.addAll(packages(base, other)));
        if (room.equals("llama")) {
            allowed.add(BASE + ".preset..");
        }
        return classes().that(in(base, room)).should().onlyDependOnClassesThat(
                not(resideInAPackage(BASE + "..")).or(resideInAnyPackage(allowed.toArray(String[]::new))));
    }

    private static ArchRule noHttp(String base, String room) {
        return noClasses().that(in(base, room)).should().dependOnClassesThat()
                .resideInAnyPackage("jakarta.ws.rs..", "org.jboss.resteasy..");
    }

    private static ArchRule onlyLlamaKnowsNativeCode(String base) {
        return noClasses().that().resideInAPackage(base + "..").and().resideOutsideOfPackage(base + ".llama..")
                .should().dependOnClassesThat().resideInAnyPackage(BASE + ".preset..", "org.bytedeco..");
    }

    private static DescribedPredicate<JavaClass> in(String base, String room) {
        return resideInAnyPackage(packages(base, room).toArray(String[]::new));
    }

    /** A room is one with its sub-packages, unless they are told apart. */
    private static List<String> packages(String base, String room) {
        return List.of(base + "." + room + (SPLIT.contains(room) ? "" : ".."));
    }

    private static String room(JavaClass type) {
        String rest = type.getPackageName().substring(BASE.length()).replaceFirst("^\\.", "");
        return TABLE.keySet().stream().filter(room -> rest.equals(room) || rest.startsWith(room + ".") && !SPLIT.contains(room))
                .findFirst().orElse("no room: " + type.getName());
    }
}
