package dev.luq.decoder.child;

import dev.luq.Signals;
import dev.luq.decoder.protocol.DecodeReply;
import dev.luq.decoder.protocol.DecodeRequest;
import dev.luq.images.Pixels;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * A decoder process that does what the image's comment tells it, so that the faults of real ones can be had on demand:
 * <pre>
 * white    a white pixel
 * hang     nothing, for ever
 * die      the process ends by SIGSEGV
 * exit     the process ends by itself
 * garbage  writes what is no reply
 * memory   asks for memory until there is no more
 * defect   an error of its own
 * huge     a picture larger than was asked for
 * </pre>
 */
public final class ScriptedDecoder {

    private ScriptedDecoder() {}

    public static void main(String[] arguments) {
        DecoderLoop.run(ScriptedDecoder::decode);
    }

    private static DecodeReply decode(DecodeRequest request) {
        String text = new String(request.data(), StandardCharsets.ISO_8859_1);
        System.out.println("a stray print");
        int begin = text.indexOf('<');
        switch (text.substring(begin + 1, text.indexOf('>'))) {
            case "hang" -> forEver();
            case "die" -> Signals.dieOf("SEGV");
            case "exit" -> System.exit(7);
            case "garbage" -> write("garbage");
            case "memory" -> {
                byte[][] all = new byte[1 << 20][];
                for (int i = 0; i < all.length; i++) {
                    all[i] = new byte[1 << 20];
                }
            }
            case "defect" -> throw new NoClassDefFoundError("dev/luq/None");
            case "huge" -> {
                int pixels = request.maxPixels() + 1;
                return new DecodeReply.Decoded(new Pixels(pixels, 1, new byte[3 * pixels]));
            }
            default -> {}
        }
        return new DecodeReply.Decoded(new Pixels(1, 1, new byte[] {-1, -1, -1}));
    }

    private static void forEver() {
        while (true) {
            Thread.onSpinWait();
        }
    }

    private static void write(String text) {
        try (FileOutputStream out = new FileOutputStream(FileDescriptor.out)) {
            out.write(text.getBytes(StandardCharsets.ISO_8859_1));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
