package dev.luq.cli;

import static dev.luq.files.Units.MIB;

import dev.luq.requant.store.LayerStore;
import dev.luq.requant.store.Manifest;
import dev.luq.requant.store.StoreException;
import dev.luq.requant.store.StoreLease;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code luq export}: a model of the store as one plain GGUF. */
@Command(
        name = "export",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Writes the language model that was made by requantize as one GGUF, which stock llama.cpp loads;"
                + " pictures need its projector beside it (--mmproj).")
final class ExportCommand implements Callable<Integer> {

    @Option(
            names = "--model",
            paramLabel = "NAME",
            required = true,
            description = "Its name, as requantize printed it.")
    private String model;

    @Option(names = "--out", paramLabel = "GGUF", required = true, description = "The file; replaced if it exists.")
    private Path out;

    @Mixin
    private DataOptions data;

    @Override
    public Integer call() {
        Path root = data.folder().store();
        try {
            if (!Files.isDirectory(root)) {
                throw new CliException("There is no store in " + root.getParent() + ".");
            }
            LayerStore store = LayerStore.open(root);
            Optional<Manifest> manifest = store.manifest(model);
            if (manifest.isEmpty()) {
                throw new CliException("There is no model named " + model + "; there are: "
                        + store.manifests().stream().map(Manifest::id).collect(Collectors.joining(", ")) + ".");
            }
            try (StoreLease lease = store.lease(model)) {
                store.verify(manifest.get());
                export(store, manifest.get());
            }
            System.out.printf("%s, %.2f MiB%n", out, Files.size(out) / MIB);
            return 0;
        } catch (StoreException e) {
            throw new CliException(e.getMessage(), e);
        } catch (ClosedByInterruptException e) {
            throw new CliException("Interrupted.", e);
        } catch (IOException e) {
            throw new CliException("Cannot write " + out + ": " + e.getMessage(), e);
        }
    }

    /** A signal leaves no gigabytes of an unfinished file: its channel is closed for the interrupt, and the file goes. */
    private void export(LayerStore store, Manifest manifest) throws IOException {
        try (CleanEnd end = new CleanEnd(Thread.currentThread()::interrupt)) {
            store.export(manifest, out.toAbsolutePath());
        }
    }
}
