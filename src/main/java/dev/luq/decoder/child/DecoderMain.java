package dev.luq.decoder.child;

import dev.luq.decoder.protocol.DecodeReply;
import dev.luq.decoder.protocol.DecodeRequest;
import dev.luq.images.ImageDecoder;
import dev.luq.images.ImageException;
import java.util.HexFormat;
import java.util.List;

/** Main class of a decoder process. */
public final class DecoderMain {

    /** Black, eight by eight pixels: what the first picture of a format would wait for is loaded before it comes. */
    private static final List<String> FIRST_PICTURES = List.of(
            // PNG
            "89504e470d0a1a0a" + "0000000d4948445200000008000000080802000000" + "4b6d29dc" + "0000000c49444154"
                    + "785e6360181e000000c80001" + "5485e393" + "0000000049454e44ae426082",
            // JPEG: one quantization table, a frame of three components, two tables of one code, one scan
            "ffd8" + "ffdb004300" + "01".repeat(64) + "ffc0001108" + "00080008" + "03" + "011100021100031100"
                    + "ffc4001400" + "01" + "00".repeat(16) + "ffc4001410" + "01" + "00".repeat(16)
                    + "ffda000c03" + "010002000300" + "003f00" + "03" + "ffd9");

    private DecoderMain() {}

    /** Decodes pictures for the server at the other end of standard input and output; the process ends with it. */
    public static void main(String[] arguments) {
        // The registry of decoders would look for more of them in every library.
        Thread.currentThread().setContextClassLoader(ClassLoader.getPlatformClassLoader());
        for (String picture : FIRST_PICTURES) {
            decode(new DecodeRequest(HexFormat.of().parseHex(picture), 1, 16));
        }
        DecoderLoop.run(DecoderMain::decode);
    }

    private static DecodeReply decode(DecodeRequest request) {
        try {
            return new DecodeReply.Decoded(
                    new ImageDecoder(request.data()).decode(request.every()).within(request.maxPixels()));
        } catch (ImageException e) {
            return new DecodeReply.Refused(e.getMessage(), e.isTooLarge());
        }
    }
}
