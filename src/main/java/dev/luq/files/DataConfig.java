package dev.luq.files;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.nio.file.Path;

/** Where the server keeps what it makes. */
@ConfigMapping(prefix = "luq")
public interface DataConfig {

    /**
     * Folder of what the server keeps: the layer store, jobs, calibration sets, and the catalogue's changes. Made when
     * something is written.
     */
    @WithDefault("${user.home}/.local/share/luq")
    Path dataDir();
}
