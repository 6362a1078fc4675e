package dev.luq;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Tag;

/**
 * A test that loads native libraries, starts processes or boots the server. All others are quick: {@code ./luq test --quick}
 * runs them alone. {@link NoNativesInQuickTests} and {@link QuickTestsTest} hold that none lacks this mark.
 */
@Tag(Integration.TAG)
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
public @interface Integration {

    /** JUnit's name of the mark. */
    String TAG = "integration";
}
