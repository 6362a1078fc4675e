package dev.luq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** That a test without {@link Integration} is quick: it starts no process and no server. */
class QuickTestsTest {

    private static final String PROCESS = "java.lang.ProcessBuilder";
    private static final String SERVER = "io.quarkus.test.junit.QuarkusTest";

    private static JavaClasses tests;
    /** Classes of the application that start a process themselves. */
    private static Set<String> starters;

    @BeforeAll
    static void read() {
        tests = new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.ONLY_INCLUDE_TESTS)
                .importPackages(Rooms.BASE);
        JavaClasses main = new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_JARS)
                .importPackages(Rooms.BASE);
        starters = main.stream()
                .filter(type -> uses(type).contains(PROCESS))
                .map(JavaClass::getName)
                .collect(Collectors.toSet());
    }

    @Test
    void noneStartsAProcessOrAServer() {
        Set<String> wrong = new TreeSet<>();
        for (JavaClass type : tests) {
            if (isTest(type) && !type.isAnnotatedWith(Integration.class)) {
                reached(type).forEach(name -> wrong.add(type.getSimpleName() + " uses " + name));
            }
        }
        assertEquals(Set.of(), wrong);
    }

    /** A rule about nothing would never fail. */
    @Test
    void testsThatDoAreFound() {
        assertTrue(reached(tests.get("dev.luq.requant.store.StoreCrashTest")).contains(PROCESS));
        assertTrue(reached(tests.get("dev.luq.ShutdownTest")).contains(PROCESS), "by its helper");
        assertTrue(reached(tests.get("dev.luq.http.access.KeysTest")).contains(SERVER));
        assertTrue(
                reached(tests.get("dev.luq.serving.SupervisedWorkerTest")).contains("dev.luq.serving.WorkerProcess"));
    }

    private static boolean isTest(JavaClass type) {
        return type.isTopLevelClass() && type.getSimpleName().endsWith("Test");
    }

    /** What this test and its helpers use of that which no quick test may. */
    private static Set<String> reached(JavaClass test) {
        Set<String> reached = new TreeSet<>();
        Set<String> seen = new HashSet<>();
        Deque<JavaClass> open = new ArrayDeque<>(Set.of(test));
        while (!open.isEmpty()) {
            for (String name : uses(open.remove())) {
                if (name.equals(PROCESS) || name.equals(SERVER) || starters.contains(name)) {
                    reached.add(name);
                } else if (tests.contain(name) && !isTest(tests.get(name)) && seen.add(name)) {
                    open.add(tests.get(name));
                }
            }
        }
        return reached;
    }

    private static Set<String> uses(JavaClass type) {
        return type.getDirectDependenciesFromSelf().stream()
                .map(dependency ->
                        dependency.getTargetClass().getBaseComponentType().getName())
                .collect(Collectors.toSet());
    }
}
