package dev.luq;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Fails a class without {@link Integration} that loads llama.cpp; finds it where no class before it did. */
public final class NoNativesInQuickTests implements BeforeAllCallback, AfterAllCallback {

    private static boolean loadedBefore;

    @Override
    public void beforeAll(ExtensionContext context) throws IOException {
        loadedBefore = isLoaded();
    }

    @Override
    public void afterAll(ExtensionContext context) throws IOException {
        // By name: Quarkus loads the annotation once more.
        if (!context.getTags().contains(Integration.TAG) && !loadedBefore && isLoaded()) {
            throw new AssertionError(context.getDisplayName() + " loads llama.cpp and lacks @Integration");
        }
    }

    private static boolean isLoaded() throws IOException {
        return Files.readString(Path.of("/proc/self/maps"), StandardCharsets.ISO_8859_1)
                .contains("/libllama");
    }
}
