package dev.luq.openai.generation;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.conditions.ArchConditions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A request may have tens of megabytes of pictures, and an answer takes minutes: nothing of an answer holds its request. */
class HeldRequestsTest {

    private static JavaClasses main;

    @BeforeAll
    static void read() {
        main = new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_JARS)
                .importPackages("dev.luq");
    }

    @Test
    void answersHoldNoRequest() {
        DescribedPredicate<JavaClass> answer = assignableTo(AnswerEvents.class)
                .or(assignableTo(AnswerBuilder.class))
                .or(DescribedPredicate.describe(
                        "forms of answers", type -> type.getSimpleName().endsWith("Form")));
        assertTrue(main.stream().filter(answer).count() >= 9, "chat, completions, llama-server's, responses, messages");
        DescribedPredicate<JavaClass> request = assignableTo(Addressed.class)
                .or(assignableTo(ValidRequest.class))
                .or(assignableTo(Prompt.class))
                .or(DescribedPredicate.describe(
                        "bodies of requests", type -> type.getSimpleName().endsWith("Request")));
        fields().that()
                .areDeclaredInClassesThat(answer)
                .should(ArchConditions.haveRawType(not(request)))
                .check(main);
    }
}
