package dev.luq.filecache;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** What makes the content of cached files: equal producers make the same for the same name. */
public interface Producer {

    /** Id of the model for which they are made. */
    String model();

    /** The model's files that decide the content. When one of them is gone or another one, what was made is of no use. */
    List<Path> files();

    /**
     * Reads these files, or as much of them as tells them apart. May take seconds.
     *
     * @return SHA-256, hexadecimal, of whatever decides the content beside its name
     */
    String digest() throws IOException;
}
