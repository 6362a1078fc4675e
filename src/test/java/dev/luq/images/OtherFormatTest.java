package dev.luq.images;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OtherFormatTest {

    private static final String ADVICE = "convert it to PNG, JPEG, WEBP or GIF";

    /** First bytes as the formats' specifications have them, after what files of that kind begin with. */
    @ParameterizedTest
    @CsvSource({
        "AVIF,        0000001c 66747970 61766966 00000000 6d696631 61766966 6d696166",
        "AVIF,        00000020 66747970 6d696631 00000000 6d696631 61766966",
        "AVIF,        00000018 66747970 61766973 00000000 61766973",
        "HEIC,        00000018 66747970 68656963 00000000 6d696631 68656963",
        "HEIC,        00000018 66747970 6d696631 00000000 6d696631 68656963",
        "TIFF,        49492a00 08000000",
        "TIFF,        4d4d002a 00000008",
        "BMP,         424d3600 0c000000",
        "ICO,         00000100 01001010",
        "JPEG XL,     ff0a fa7f 0190",
        "JPEG XL,     0000000c 4a584c20 0d0a870a",
        "JPEG 2000,   0000000c 6a502020 0d0a870a",
        "JPEG 2000,   ff4fff51 002f"
    })
    void binaryFormats(String name, String bytes) {
        assertEquals(
                name + " is not supported: " + ADVICE, message(HexFormat.of().parseHex(bytes.replace(" ", ""))));
    }

    @ParameterizedTest
    @CsvSource({
        "SVG,         <svg xmlns='http://www.w3.org/2000/svg'/>",
        "SVG,         '\ufeff <?xml version=\"1.0\"?><!-- drawn --><svg/>'",
        "HTML or XML, <!doctype html><title>404</title>",
        "HTML or XML, <?xml version='1.0'?><error/>"
    })
    void markup(String name, String text) {
        assertEquals(name + " is not supported: " + ADVICE, message(text.getBytes(StandardCharsets.UTF_8)));
    }

    @ParameterizedTest
    @CsvSource({
        "%PDF-1.7,                PDF is not supported: send its pages as PNG",
        "no image,                The data is no PNG",
        "RIFF,                    The data is no PNG",
        "0000ftypmp42,            The data is no PNG",
        "0000ftyp,                The data is no PNG"
    })
    void others(String text, String message) {
        assertEquals(message, message(text.getBytes(StandardCharsets.UTF_8)).substring(0, message.length()));
    }

    private static String message(byte[] data) {
        return assertThrows(ImageException.class, () -> ImageHeader.read(data)).getMessage();
    }
}
