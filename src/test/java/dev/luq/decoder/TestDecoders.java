package dev.luq.decoder;

import dev.luq.serving.TestConfig;
import java.util.List;
import java.util.Map;

/** Pools of decoders for tests; to be closed. */
public final class TestDecoders {

    private TestDecoders() {}

    /**
     * Real decoders, as the server has them.
     *
     * @param values without the prefix {@code luq.images.}
     */
    public static DecoderPool pool(Map<String, String> values) {
        return new DecoderPool(config(values), TestConfig.of(Map.of()), List.of());
    }

    /** Processes of this class instead. */
    static DecoderPool pool(Map<String, String> values, Class<?> main, DecoderListener listener) {
        DecoderConfig config = config(values);
        return new DecoderPool(
                config, DecoderPool.command(config, TestConfig.of(Map.of()), main.getName()), List.of(listener));
    }

    private static DecoderConfig config(Map<String, String> values) {
        return TestConfig.of(DecoderConfig.class, values);
    }
}
