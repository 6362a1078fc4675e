package dev.luq.benchmarks.data;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/** The rows of several files, numbered through; one file is open at a time. */
final class FileRows implements Rows {

    private final Iterator<Path> files;
    private final Opener opener;
    private Rows current;
    private long position;

    /** Opens a file of one format. */
    interface Opener {
        Rows open(Path file) throws IOException;
    }

    FileRows(List<Path> files, Opener opener) {
        this.files = files.iterator();
        this.opener = opener;
    }

    @Override
    public Optional<Row> next() throws IOException {
        while (true) {
            if (current == null) {
                if (!files.hasNext()) {
                    return Optional.empty();
                }
                current = opener.open(files.next());
            }
            Optional<Row> row = current.next();
            if (row.isPresent()) {
                position++;
                return row.map(inFile -> new Row(inFile.file(), inFile.number(), position, inFile.json()));
            }
            close();
        }
    }

    @Override
    public void close() throws IOException {
        if (current != null) {
            current.close();
            current = null;
        }
    }
}
