package dev.luq.images;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;

/** What people send for an image and no decoder here reads: told apart by the first bytes, to be refused by name. */
enum OtherFormat {
    AVIF("AVIF"),
    HEIC("HEIC"),
    SVG("SVG"),
    TIFF("TIFF"),
    BMP("BMP"),
    ICO("ICO"),
    JPEG_XL("JPEG XL"),
    JPEG_2000("JPEG 2000"),
    PDF("PDF"),
    MARKUP("HTML or XML");

    private static final int LONGEST_PROLOGUE = 1024;
    private static final byte[] JPEG_XL_BOX = {0, 0, 0, 12, 'J', 'X', 'L', ' ', '\r', '\n', (byte) 0x87, '\n'};
    private static final byte[] JPEG_2000_BOX = {0, 0, 0, 12, 'j', 'P', ' ', ' ', '\r', '\n', (byte) 0x87, '\n'};
    private static final int BRANDS = 8;
    private static final int BRAND_LENGTH = 4;
    private static final Set<String> HEIF = Set.of("heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1");

    private final String text;

    OtherFormat(String text) {
        this.text = text;
    }

    /** What to tell its sender. */
    String refusal() {
        return text + " is not supported: " + (this == PDF ? "send its pages as" : "convert it to")
                + " PNG, JPEG, WEBP or GIF";
    }

    /** @return empty for what none of them is */
    static Optional<OtherFormat> of(byte[] data) {
        if (startsWith(data, 'I', 'I', '*', 0) || startsWith(data, 'M', 'M', 0, '*')) {
            return Optional.of(TIFF);
        }
        if (startsWith(data, 'B', 'M')) {
            return Optional.of(BMP);
        }
        if (startsWith(data, 0, 0, 1, 0)) {
            return Optional.of(ICO);
        }
        if (startsWith(data, 0xff, 0x0a) || startsWith(data, JPEG_XL_BOX)) {
            return Optional.of(JPEG_XL);
        }
        if (startsWith(data, JPEG_2000_BOX) || startsWith(data, 0xff, 0x4f, 0xff, 0x51)) {
            return Optional.of(JPEG_2000);
        }
        if (startsWith(data, '%', 'P', 'D', 'F', '-')) {
            return Optional.of(PDF);
        }
        return ofBrands(data).or(() -> ofMarkup(data));
    }

    /** By the file type box of ISO/IEC 14496-12, with which HEIF files begin. */
    private static Optional<OtherFormat> ofBrands(byte[] data) {
        if (data.length < BRANDS + BRAND_LENGTH
                || !latin(data, BRAND_LENGTH, BRANDS).equals("ftyp")) {
            return Optional.empty();
        }
        int size = Math.min(((data[2] & 0xff) << 8) | (data[3] & 0xff), data.length);
        Optional<OtherFormat> found = Optional.empty();
        for (int at = BRANDS; at + BRAND_LENGTH <= size; at += BRAND_LENGTH) {
            String brand = latin(data, at, at + BRAND_LENGTH);
            if (brand.equals("avif") || brand.equals("avis")) {
                return Optional.of(AVIF);
            }
            if (HEIF.contains(brand)) {
                found = Optional.of(HEIC);
            }
        }
        return found;
    }

    private static Optional<OtherFormat> ofMarkup(byte[] data) {
        String start = new String(data, 0, Math.min(data.length, LONGEST_PROLOGUE), StandardCharsets.UTF_8)
                .replace("\ufeff", "")
                .stripLeading();
        if (!start.startsWith("<")) {
            return Optional.empty();
        }
        return Optional.of(start.contains("<svg") ? SVG : MARKUP);
    }

    private static String latin(byte[] data, int from, int to) {
        return new String(data, from, to - from, StandardCharsets.ISO_8859_1);
    }

    private static boolean startsWith(byte[] data, int... prefix) {
        byte[] bytes = new byte[prefix.length];
        for (int i = 0; i < prefix.length; i++) {
            bytes[i] = (byte) prefix[i];
        }
        return startsWith(data, bytes);
    }

    private static boolean startsWith(byte[] data, byte[] prefix) {
        return data.length >= prefix.length && Arrays.equals(data, 0, prefix.length, prefix, 0, prefix.length);
    }
}
