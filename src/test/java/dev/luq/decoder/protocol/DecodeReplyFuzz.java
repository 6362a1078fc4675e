package dev.luq.decoder.protocol;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.fuzz.FuzzTarget;
import dev.luq.images.Pixels;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.stream.Stream;

/** What a decoder sends, which foreign bytes may have led astray, is refused or no larger than was asked for. */
public final class DecodeReplyFuzz implements FuzzTarget {

    private static final int MOST_PIXELS = 1 << 10;

    @Override
    public String name() {
        return "decode-reply";
    }

    @Override
    public List<byte[]> seeds() {
        return Stream.of(
                        new DecodeReply.Decoded(new Pixels(3, 2, new byte[18])),
                        new DecodeReply.Refused("damaged", false))
                .map(reply -> {
                    ByteArrayOutputStream out = new ByteArrayOutputStream();
                    try {
                        reply.write(new DataOutputStream(out));
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                    return out.toByteArray();
                })
                .toList();
    }

    @Override
    public void run(byte[] input) {
        try {
            DecodeReply reply = DecodeReply.read(new DataInputStream(new ByteArrayInputStream(input)), MOST_PIXELS);
            if (reply instanceof DecodeReply.Decoded decoded) {
                assertTrue(decoded.pixels().width() * decoded.pixels().height() <= MOST_PIXELS, "size");
            }
        } catch (IOException refused) {
            // as it may be
        }
    }
}
