package dev.luq.benchmarks.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.StandardOpenOption;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Pictures of a TSV file: in the rows in base64, or the index of the row that has it, before or after. When the first
 * index is met, the file is read twice from its beginning: for what rows are named, and for their pictures, which go to a
 * file until this is closed. Not thread-safe.
 */
final class TsvPictures implements AutoCloseable {

    /** A text of at most as many characters is an index. */
    static final int LONGEST_INDEX = 64;

    private static final String IMAGE = "image";

    private final Again again;
    /** Where in the file that keeps them the pictures of the named rows are; null before the first index. */
    private Map<String, Place> places;

    private FileChannel kept;

    /** Opens the rows at their beginning. */
    interface Again {
        Rows open() throws IOException;
    }

    private record Place(long position, int length) {}

    private interface Reader {
        void read(Row row, String image) throws IOException;
    }

    TsvPictures(Again again) {
        this.again = again;
    }

    /** The picture of a row. */
    Picture of(Row row) throws IOException {
        String image = row.text(IMAGE);
        if (!isIndex(image)) {
            return Picture.of(decoded(row, image));
        }
        if (places == null) {
            places = new HashMap<>();
            keepNamed();
        }
        Place place = places.get(image);
        if (place == null) {
            throw row.fault("the picture is that of row " + image + ", which is not there or has none itself.");
        }
        return () -> read(place);
    }

    private static boolean isIndex(String image) {
        return image.length() <= LONGEST_INDEX;
    }

    private static byte[] decoded(Row row, String image) {
        try {
            return Base64.getMimeDecoder().decode(image);
        } catch (IllegalArgumentException e) {
            throw row.fault("\"" + IMAGE + "\" is not base64.");
        }
    }

    private void keepNamed() throws IOException {
        Set<String> named = new HashSet<>();
        forEach((row, image) -> {
            if (isIndex(image)) {
                named.add(image);
            }
        });
        kept = FileChannel.open(
                Files.createTempFile("luq-pictures-", ""),
                StandardOpenOption.READ,
                StandardOpenOption.WRITE,
                StandardOpenOption.DELETE_ON_CLOSE);
        forEach((row, image) -> {
            String index = row.text("index");
            if (!isIndex(image) && named.contains(index)) {
                places.put(index, keep(Picture.checked(decoded(row, image), row.place() + ": " + IMAGE)));
            }
        });
    }

    private void forEach(Reader reader) throws IOException {
        try (Rows rows = again.open()) {
            for (Optional<Row> row = rows.next(); row.isPresent(); row = rows.next()) {
                Optional<String> image = row.get().optional(IMAGE);
                if (image.isPresent()) {
                    reader.read(row.get(), image.get());
                }
            }
        }
    }

    private Place keep(byte[] bytes) throws IOException {
        Place place = new Place(kept.size(), bytes.length);
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        while (buffer.hasRemaining()) {
            kept.write(buffer, place.position() + buffer.position());
        }
        return place;
    }

    private byte[] read(Place place) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(place.length());
        while (buffer.hasRemaining() && kept.read(buffer, place.position() + buffer.position()) >= 0) {}
        return buffer.array();
    }

    @Override
    public void close() throws IOException {
        if (kept != null) {
            kept.close();
        }
    }
}
