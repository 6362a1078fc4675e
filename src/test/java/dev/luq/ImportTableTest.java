package dev.luq;

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
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Which room imports which: {@link Rooms}. */
class ImportTableTest {

    private static final Set<String> ROOMS_WITH_JAX_RS = Set.of("http", "openai", "anthropic", "admin", "telemetry");

    private static JavaClasses main;

    @BeforeAll
    static void read() {
        main = new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_JARS)
                .importPackages(Rooms.BASE);
    }

    /** Neither more than the table says nor less: a permission that nobody uses would invite its use. */
    @TestFactory
    List<DynamicTest> roomsImportWhatTheTableSays() {
        List<DynamicTest> tests = new ArrayList<>();
        Rooms.TABLE.forEach((room, imports) -> tests.add(DynamicTest.dynamicTest(
                room, () -> assertEquals(new TreeSet<>(imports), imports(Rooms.BASE, room, main)))));
        return tests;
    }

    @Test
    void noRoomImportsItselfByWayOfOthers() {
        Rooms.TABLE.keySet().forEach(room -> assertFalse(Rooms.reachable(room).contains(room), room));
    }

    @TestFactory
    List<DynamicTest> onlyTheseRoomsAnswerHttp() {
        List<DynamicTest> tests = new ArrayList<>();
        Rooms.TABLE.keySet().stream()
                .filter(room -> !ROOMS_WITH_JAX_RS.contains(room))
                .forEach(room -> tests.add(DynamicTest.dynamicTest(
                        room, () -> noHttp(Rooms.BASE, room).check(main))));
        return tests;
    }

    @Test
    void onlyLlamaKnowsNativeCode() {
        onlyLlamaKnowsNativeCode(Rooms.BASE).check(main);
    }

    /** A resource that does not say who may ask answers nobody; better to hear of it here. */
    @Test
    void everyResourceSaysWhoMayAskIt() {
        classes()
                .that()
                .areAnnotatedWith(Path.class)
                .should()
                .beAnnotatedWith(RolesAllowed.class)
                .check(main);
        classes()
                .that(in(Rooms.BASE, "admin"))
                .and()
                .areAnnotatedWith(Path.class)
                .should(beForAdministrators())
                .check(main);
    }

    private static ArchCondition<JavaClass> beForAdministrators() {
        return ArchCondition.from(DescribedPredicate.describe("be for administrators", type -> List.of(
                        type.getAnnotationOfType(RolesAllowed.class).value())
                .equals(List.of("admin"))));
    }

    /** A rule about nothing would never fail: every row of the table has classes, and every class a row. */
    @Test
    void theTableIsThatOfTheTree() {
        Set<String> found = new TreeSet<>();
        for (JavaClass type : main) {
            if (!type.isEquivalentTo(LuqServer.class) && !type.getSimpleName().equals("package-info")) {
                found.add(Rooms.of(Rooms.BASE, type.getPackageName()).orElse("no room: " + type.getName()));
            }
        }
        assertEquals(new TreeSet<>(Rooms.TABLE.keySet()), found);
    }

    @Test
    void aRoomThatImportsWhatItMayNotIsFound() {
        String base = Rooms.BASE + ".architecture.broken";
        JavaClasses broken = new ClassFileImporter().importPackages(base);
        assertEquals(Set.of("llama"), imports(base, "openai", broken), "openai uses llama");
        assertEquals(Set.of("worker"), imports(base, "serving", broken), "the server's half uses the child's");
        assertEquals(Set.of("telemetry"), imports(base, "catalog", broken), "catalog uses telemetry");
        assertThrows(AssertionError.class, () -> noHttp(base, "engine").check(broken), "engine uses JAX-RS");
        assertThrows(AssertionError.class, () -> onlyLlamaKnowsNativeCode(base).check(broken), "engine uses JavaCPP");
    }

    @Test
    void nobodyMayImportTelemetryOrTheCommands() {
        assertTrue(Rooms.TABLE.containsKey("telemetry") && Rooms.TABLE.containsKey("cli"));
        Rooms.TABLE.values().forEach(imports -> {
            assertFalse(imports.contains("telemetry"));
            assertFalse(imports.contains("cli"));
        });
    }

    private static Set<String> imports(String base, String room, JavaClasses classes) {
        Set<String> found = new TreeSet<>();
        for (JavaClass type : classes) {
            if (Rooms.of(base, type.getPackageName()).filter(room::equals).isPresent()) {
                type.getDirectDependenciesFromSelf().forEach(dependency -> Rooms.of(
                                base,
                                dependency
                                        .getTargetClass()
                                        .getBaseComponentType()
                                        .getPackageName())
                        .ifPresent(found::add));
            }
        }
        found.remove(room);
        return found;
    }

    private static ArchRule noHttp(String base, String room) {
        return noClasses()
                .that(in(base, room))
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("jakarta.ws.rs..", "org.jboss.resteasy..");
    }

    private static ArchRule onlyLlamaKnowsNativeCode(String base) {
        return noClasses()
                .that()
                .resideInAPackage(base + "..")
                .and()
                .resideOutsideOfPackage(base + ".llama..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(Rooms.BASE + ".preset..", "org.bytedeco..");
    }

    private static DescribedPredicate<JavaClass> in(String base, String room) {
        return resideInAnyPackage(base + "." + room + (Rooms.SPLIT.contains(room) ? "" : ".."));
    }
}
