package dev.luq.admin;

import dev.luq.files.DataConfig;
import dev.luq.files.DataFolder;
import dev.luq.http.errors.ApiException.InvalidRequest;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/** The folder whose files may be registered: a key for administration is no key to the whole disk. */
@Singleton
class ModelFolder {

    private final Path root;

    @Inject
    ModelFolder(AdminConfig config, DataConfig data) {
        this(config.modelsDir().orElse(new DataFolder(data.dataDir()).models()));
    }

    ModelFolder(Path root) {
        this.root = root.toAbsolutePath().normalize();
    }

    /**
     * @param name relative to the folder, or absolute and below it
     * @return the file, with links resolved
     * @throws InvalidRequest when there is no such file below the folder; also for one that a link leads out to
     */
    Path file(String name, String param) {
        try {
            Path real = root.toRealPath();
            Path file = real.resolve(name).toRealPath();
            if (file.startsWith(real) && Files.isRegularFile(file)) {
                return file;
            }
        } catch (InvalidPathException | IOException e) {
            // the same answer: it does not tell what lies elsewhere
        }
        throw new InvalidRequest(param, param + " must name a file in the folder of luq.admin.models-dir");
    }
}
