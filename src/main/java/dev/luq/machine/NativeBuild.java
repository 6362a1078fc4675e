package dev.luq.machine;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Properties;

/** The build of the native libraries on the class path, known without loading them. */
public final class NativeBuild {

    /** JavaCPP's property for where it unpacks libraries. */
    public static final String CACHE_PROPERTY = "org.bytedeco.javacpp.cachedir";

    private static final Properties PROPERTIES = read();

    private NativeBuild() {}

    /** Of the inputs of the build: same key, same libraries. */
    public static String key() {
        return PROPERTIES.getProperty("key");
    }

    /** What the libraries were built from and with: key, variant, compiler, CPU flags. A copy. */
    public static Properties properties() {
        Properties copy = new Properties();
        copy.putAll(PROPERTIES);
        return copy;
    }

    /**
     * Where the libraries of this build are unpacked. JavaCPP compares an unpacked library with the jar's by size and time
     * only and names the folder after the jar, so two builds must not share one.
     *
     * @param cache where those of all builds are; empty: as {@link #CACHE_PROPERTY} says, or {@code ~/.javacpp/cache}
     */
    public static Path folder(Optional<Path> cache) {
        Path all = cache.or(() ->
                        Optional.ofNullable(System.getProperty(CACHE_PROPERTY)).map(Path::of))
                .orElseGet(() -> Path.of(System.getProperty("user.home"), ".javacpp", "cache"));
        Path own = Path.of("luq-" + key());
        return all.endsWith(own) ? all : all.resolve(own);
    }

    private static Properties read() {
        Properties build = new Properties();
        try (InputStream in = NativeBuild.class.getResourceAsStream("/META-INF/luq-native.properties")) {
            if (in == null) {
                throw new IllegalStateException("luq-native.jar is not on the class path: run native/build");
            }
            build.load(new InputStreamReader(in, UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return build;
    }
}
