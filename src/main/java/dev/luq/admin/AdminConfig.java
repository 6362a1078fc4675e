package dev.luq.admin;

import io.smallrye.config.ConfigMapping;
import java.nio.file.Path;
import java.util.Optional;

/** Settings of administration over HTTP. */
@ConfigMapping(prefix = "luq.admin")
public interface AdminConfig {

    /** Folder whose GGUF files may be registered as models; {@code models} in {@code luq.data-dir} unless set. */
    Optional<Path> modelsDir();
}
