package dev.luq.gguf;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * A model or projector as it lies on disk: one GGUF, or the parts of a split one in order. The first part carries the
 * metadata. Parts are named {@code <name>-00001-of-00003.gguf} as llama.cpp does.
 *
 * @param paths absolute, in the parts' order
 * @param parts what the files say, in the same order
 */
public record ModelFiles(List<Path> paths, List<Gguf> parts) {

    private static final String NUMBER_KEY = "split.no";
    private static final String COUNT_KEY = "split.count";
    private static final String TENSORS_KEY = "split.tensors.count";
    private static final Pattern PART_NAME = Pattern.compile("(.+)-(\\d{5})-of-(\\d{5})\\.gguf", Pattern.DOTALL);

    public ModelFiles {
        paths = List.copyOf(paths);
        parts = List.copyOf(parts);
    }

    /**
     * Reads a file and, when it is the first part of a split model, its siblings.
     *
     * @throws GgufException when a file is not well-formed, parts are missing or do not belong together, or the file is
     *     a later part
     * @throws IOException when a file cannot be read; its message may name the path
     */
    public static ModelFiles read(Path file) throws IOException {
        Path first = file.toAbsolutePath().normalize();
        Gguf gguf = Gguf.read(first);
        long count = gguf.integer(COUNT_KEY).orElse(1);
        if (count == 0 || count == 1) {
            return new ModelFiles(List.of(first), List.of(gguf));
        }
        if (count < 0 || count > 99_999) {
            throw new GgufException.Malformed(
                    "The file claims to be one of " + Long.toUnsignedString(count) + " parts.");
        }
        requireNumber(gguf, 0, count);
        List<Path> paths = siblings(first, (int) count);
        List<Gguf> parts = new ArrayList<>(List.of(gguf));
        for (int i = 1; i < count; i++) {
            if (!Files.exists(paths.get(i))) {
                throw new GgufException.Mismatch(
                        "Part " + (i + 1) + " of " + count + " of this split model is missing.");
            }
            Gguf part = Gguf.read(paths.get(i));
            requireNumber(part, i, count);
            parts.add(part);
        }
        ModelFiles files = new ModelFiles(paths, parts);
        files.requireWhole();
        return files;
    }

    /**
     * Reads a model whose parts are named one by one, whatever they are called: one file, or all parts of a split model
     * in order.
     *
     * @throws GgufException when a file is not well-formed, or the files are not the parts of one model in order
     * @throws IOException when a file cannot be read; its message may name the path
     */
    public static ModelFiles of(List<Path> files) throws IOException {
        List<Path> paths =
                files.stream().map(file -> file.toAbsolutePath().normalize()).toList();
        List<Gguf> parts = new ArrayList<>();
        for (Path path : paths) {
            Gguf part = Gguf.read(path);
            boolean single = paths.size() == 1 && part.integer(COUNT_KEY).orElse(1) <= 1;
            if (!single) {
                requireNumber(part, parts.size(), paths.size());
            }
            parts.add(part);
        }
        if (parts.isEmpty()) {
            throw new IllegalArgumentException("no file is given");
        }
        ModelFiles model = new ModelFiles(paths, parts);
        model.requireWhole();
        return model;
    }

    /** What a model is called whose files are named so: the file's name without ending and part. */
    public static String nameOf(Path file) {
        return file.getFileName().toString().replaceFirst("(-\\d{5}-of-\\d{5})?\\.gguf$", "");
    }

    private static List<Path> siblings(Path first, int count) {
        Matcher name = PART_NAME.matcher(first.getFileName().toString());
        String suffix = String.format("%05d", count);
        if (!name.matches() || !name.group(2).equals("00001") || !name.group(3).equals(suffix)) {
            throw new GgufException.Mismatch("The first of " + count + " parts of a split model must be named like"
                    + " name-00001-of-" + suffix + ".gguf.");
        }
        List<Path> paths = new ArrayList<>();
        for (int i = 1; i <= count; i++) {
            paths.add(first.resolveSibling(String.format("%s-%05d-of-%s.gguf", name.group(1), i, suffix)));
        }
        return paths;
    }

    private static void requireNumber(Gguf part, int number, long count) {
        long actual = part.integer(NUMBER_KEY).orElse(-1);
        long actualCount = part.integer(COUNT_KEY).orElse(-1);
        if (actual != number || actualCount != count) {
            throw new GgufException.Mismatch(
                    "Part " + (number + 1) + " of " + count + " was expected, but the file says "
                            + "that it is part " + (actual + 1) + " of " + actualCount
                            + (number == 0 ? "; name the first part." : "."));
        }
    }

    private void requireWhole() {
        Set<String> names = new HashSet<>();
        for (Gguf part : parts) {
            for (GgufTensor tensor : part.tensors()) {
                if (!names.add(tensor.name())) {
                    throw new GgufException.Mismatch(
                            "Tensor " + tensor.name() + " is in two parts of the split model.");
                }
            }
        }
        OptionalLong expected = first().integer(TENSORS_KEY);
        if (expected.isPresent() && expected.getAsLong() != names.size()) {
            throw new GgufException.Mismatch("The parts of the split model have " + names.size() + " tensors, "
                    + expected.getAsLong() + " were announced.");
        }
    }

    /** The part that carries the metadata. */
    public Gguf first() {
        return parts.get(0);
    }

    public Optional<GgufTensor> tensor(String name) {
        return parts.stream().flatMap(part -> part.tensor(name).stream()).findFirst();
    }

    /**
     * Index of the part that has a tensor.
     *
     * @throws IllegalArgumentException when none has it
     */
    public int partOf(String tensor) {
        return IntStream.range(0, parts.size())
                .filter(part -> parts.get(part).tensor(tensor).isPresent())
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no part has the tensor " + tensor));
    }

    /** Number of weights in all parts. */
    public long parameters() {
        return parts.stream().mapToLong(Gguf::parameters).sum();
    }

    /** Bytes of the tensor data in all parts, without padding. */
    public long tensorBytes() {
        return parts.stream().mapToLong(Gguf::tensorBytes).sum();
    }
}
