package dev.luq.files;

import java.nio.file.Path;

/**
 * Where the server and the commands keep what they make:
 *
 * <pre>
 * data folder := store/ jobs/ cache/ embeddings/ prompts/ calibration/ benchmarks/ models/ catalog.json
 * store       := layers and variants
 * jobs        := ID/*            a folder a re-quantization
 * cache       := what re-quantizations computed; may be deleted at any time
 * embeddings  := those of images that were encoded; may be deleted at any time
 * prompts     := keys and values of prompts with images; may be deleted at any time
 * calibration := NAME/*          a folder a calibration or evaluation set
 * benchmarks  := NAME/*          answers to a benchmark, scores, and a table of all
 * models      := files that may be registered, unless another folder is configured
 * </pre>
 *
 * Nothing is made by naming it here.
 *
 * @param path absolute and normalized, whatever is given
 */
public record DataFolder(Path path) {

    public DataFolder {
        path = path.toAbsolutePath().normalize();
    }

    public Path store() {
        return path.resolve("store");
    }

    public Path jobs() {
        return path.resolve("jobs");
    }

    /** Of one job. */
    public Path job(String id) {
        return jobs().resolve(id);
    }

    public Path cache() {
        return path.resolve("cache");
    }

    public Path embeddings() {
        return path.resolve("embeddings");
    }

    public Path prompts() {
        return path.resolve("prompts");
    }

    public Path sets() {
        return path.resolve("calibration");
    }

    public Path benchmarks() {
        return path.resolve("benchmarks");
    }

    public Path models() {
        return path.resolve("models");
    }

    /** What was changed in the catalogue at run time. */
    public Path catalog() {
        return path.resolve("catalog.json");
    }

    @Override
    public String toString() {
        return path.toString();
    }
}
