package dev.luq.machine;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.luq.files.AtomicFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Which kernels are right on this machine and how fast, and which are used therefore. Made once for a build and a
 * processor; the file is beside the unpacked native libraries, where every process reads it. Immutable.
 *
 * @param trials type by type, and of a type what is taken by rule first
 */
public record KernelTable(List<KernelTrial> trials) {

    /** Less is noise: the rule decides. */
    private static final double MARGIN = 1.1;

    /** With how many columns a GEMM is tried. */
    private static final int FEW = 32;

    private static final int MANY = 128;
    private static final String END = "end";

    /**
     * What multiplies a type when activations have many columns.
     *
     * @param gemm by name
     * @param columns from how many on it is faster
     */
    public record ManyColumns(String gemm, int columns) {}

    public KernelTable {
        trials = List.copyOf(trials);
    }

    /** The file of this build and processor. */
    public static Path file(Optional<Path> cache) {
        return NativeBuild.folder(cache)
                .resolve("kernels-" + CpuIdentity.ofThisMachine().key() + ".txt");
    }

    /** @return empty where there is none, or none that is whole */
    public static Optional<KernelTable> read(Path file) {
        try {
            List<String> lines = Files.readAllLines(file, UTF_8);
            if (lines.isEmpty() || !lines.get(lines.size() - 1).equals(END)) {
                return Optional.empty();
            }
            List<Optional<KernelTrial>> trials = lines.subList(0, lines.size() - 1).stream()
                    .map(KernelTrial::read)
                    .toList();
            return trials.isEmpty() || trials.stream().anyMatch(Optional::isEmpty)
                    ? Optional.empty()
                    : Optional.of(new KernelTable(
                            trials.stream().map(Optional::orElseThrow).toList()));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** Replaces a file, whose folder exists. */
    public void write(Path file) throws IOException {
        List<String> lines =
                new ArrayList<>(trials.stream().map(KernelTrial::line).toList());
        lines.add(END);
        AtomicFiles.write(
                file,
                file.resolveSibling(file.getFileName() + ".part"),
                (String.join("\n", lines) + "\n").getBytes(UTF_8));
    }

    /**
     * Sets that this machine does without, because one of their trials failed: what is wrong for one type is not to be
     * trusted with another. llama.cpp's rows are a set for each type.
     *
     * @return by name, {@code rows of q4_K} for rows, what happened
     */
    public Map<String, String> switchedOff() {
        Map<String, String> off = new LinkedHashMap<>();
        for (KernelTrial trial : trials) {
            if (trial.outcome() == KernelTrial.Outcome.WRONG || trial.outcome() == KernelTrial.Outcome.DIED) {
                off.putIfAbsent(
                        nameOf(trial),
                        (trial.outcome() == KernelTrial.Outcome.WRONG ? "wrong" : "died") + " with " + trial.type()
                                + " (" + trial.detail() + ")");
            }
        }
        return off;
    }

    private static String nameOf(KernelTrial trial) {
        return trial.rows() ? "rows of " + trial.type() : trial.set();
    }

    /** Types that were tried, in order. */
    public Set<String> types() {
        return trials.stream().map(KernelTrial::type).collect(Collectors.toCollection(LinkedHashSet::new));
    }

    /**
     * What multiplies a type.
     *
     * @param kernels FAST: the fastest of ours and of llama.cpp's; COMPACT: the same, but a layout of llama.cpp's, which is
     *     a copy beside the file, never replaces ours; STOCK: the fastest of llama.cpp's
     * @return empty when nothing is right: plain C++ then
     */
    public Optional<KernelTrial> taken(String type, Kernels kernels) {
        List<KernelTrial> all =
                trials.stream().filter(trial -> trial.type().equals(type)).toList();
        Optional<KernelTrial> ours = fastest(all.stream()
                .filter(trial -> trial.kernels().contains(kernels) && !trial.stock() && !trial.gemm())
                .toList());
        List<KernelTrial> stock = all.stream().filter(KernelTrial::stock).toList();
        List<KernelTrial> rivals = kernels == Kernels.COMPACT
                ? stock.stream().filter(KernelTrial::rows).toList()
                : stock;
        boolean oursWin = ours.isPresent()
                && fastest(rivals).filter(rival -> faster(rival, ours.get())).isEmpty();
        return oursWin ? ours : fastest(stock).or(() -> ours);
    }

    /**
     * The GEMM that multiplies a type from some number of columns on, where one is faster than what multiplies it else: our
     * panels, or rows as they lie in the file. Weights in a layout of llama.cpp's no GEMM can read.
     *
     * @param kernels FAST or COMPACT; STOCK has none
     */
    public Optional<ManyColumns> manyColumns(String type, Kernels kernels) {
        Set<String> off = switchedOff().keySet();
        double rival = taken(type, kernels)
                .filter(trial -> !trial.stock())
                .or(() -> trials.stream()
                        .filter(trial -> trial.rows() && trial.type().equals(type))
                        .findFirst())
                .map(KernelTrial::many)
                .orElse(0.0);
        return trials.stream()
                .filter(trial -> trial.gemm()
                        && trial.type().equals(type)
                        && trial.kernels().contains(kernels))
                .filter(trial -> trial.right() && !off.contains(trial.set()))
                .max(Comparator.comparingDouble(KernelTrial::many))
                .filter(trial -> trial.many() > MARGIN * rival)
                .map(trial -> new ManyColumns(trial.set(), trial.one() > MARGIN * rival ? FEW : MANY));
    }

    private Optional<KernelTrial> fastest(List<KernelTrial> candidates) {
        Set<String> off = switchedOff().keySet();
        return candidates.stream()
                .filter(trial -> trial.right() && !off.contains(nameOf(trial)))
                .reduce((best, next) -> faster(next, best) ? next : best);
    }

    /** Generating a token reads every weight for one column: that counts, and many columns where it makes no difference. */
    private static boolean faster(KernelTrial one, KernelTrial other) {
        return one.one() > MARGIN * other.one()
                || one.one() * MARGIN > other.one() && one.many() > MARGIN * other.many();
    }

    /** Our instruction set for each type that ours are taken for, by ggml's names. */
    public Map<String, String> ours(Kernels kernels) {
        Map<String, String> sets = new LinkedHashMap<>();
        types().forEach(type ->
                taken(type, kernels).filter(trial -> !trial.stock()).ifPresent(trial -> sets.put(type, trial.set())));
        return sets;
    }

    /**
     * What llama.cpp has to be told, which would take the first layout that knows a type.
     *
     * @return by set of llama.cpp's the types that it is to be used for; sets without a restriction are missing
     */
    public Map<String, Set<String>> restrictions() {
        Map<String, Set<String>> allowed = new LinkedHashMap<>();
        Set<String> restricted = new TreeSet<>();
        for (String type : types()) {
            List<KernelTrial> stock = trials.stream()
                    .filter(trial -> trial.stock() && trial.type().equals(type))
                    .toList();
            for (int i = 0; i < stock.size(); i++) {
                KernelTrial trial = stock.get(i);
                Set<String> types = allowed.computeIfAbsent(trial.set(), set -> new TreeSet<>());
                if (fastest(stock.subList(i, stock.size()))
                        .filter(trial::equals)
                        .isPresent()) {
                    types.add(type);
                } else {
                    restricted.add(trial.set());
                }
            }
        }
        allowed.keySet().retainAll(restricted);
        return allowed;
    }
}
