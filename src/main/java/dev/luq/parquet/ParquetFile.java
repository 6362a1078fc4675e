package dev.luq.parquet;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.files.ChannelSlice;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.parquet.column.ColumnDescriptor;
import org.apache.parquet.column.page.PageReadStore;
import org.apache.parquet.column.page.PageReader;
import org.apache.parquet.format.ColumnChunk;
import org.apache.parquet.format.ColumnMetaData;
import org.apache.parquet.format.FileMetaData;
import org.apache.parquet.format.RowGroup;
import org.apache.parquet.format.Util;
import org.apache.parquet.io.ColumnIOFactory;
import org.apache.parquet.io.MessageColumnIO;
import org.apache.parquet.io.RecordReader;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.Type;

/**
 * The rows of a Parquet file from the first to the last, as JSON objects; bytes that are no text are binary nodes. Not
 * thread-safe.
 */
public final class ParquetFile implements AutoCloseable {

    private static final byte[] MAGIC = "PAR1".getBytes(StandardCharsets.US_ASCII);
    /** Length of the footer and the magic. */
    private static final int TAIL = 8;

    private static final int LARGEST_FOOTER = 64 << 20;

    private final String name;
    private final FileChannel channel;
    private final FileMetaData footer;
    private final RowConverter rows;
    private final MessageColumnIO columns;
    private int nextGroup;
    private RecordReader<ObjectNode> group;
    private long rowsLeft;

    /**
     * Opens a file.
     *
     * @param columns the only ones to read, of those at the top; what the file lacks of them its rows lack
     * @throws ParquetException it is no such file
     */
    public static ParquetFile open(Path file, Set<String> columns) throws IOException {
        String name = file.getFileName().toString();
        FileChannel channel = FileChannel.open(file);
        try {
            return new ParquetFile(name, channel, columns);
        } catch (RuntimeException | IOException e) {
            channel.close();
            throw fault(name, e);
        }
    }

    private ParquetFile(String name, FileChannel channel, Set<String> columns) throws IOException {
        this.name = name;
        this.channel = channel;
        this.footer = footer(channel);
        MessageType schema = Schemas.of(footer.getSchema());
        List<Type> types = schema.getFields().stream()
                .filter(field -> columns.contains(field.getName()))
                .toList();
        if (types.isEmpty()) {
            throw new IllegalArgumentException("it has none of the columns " + String.join(", ", columns));
        }
        MessageType wanted = new MessageType(schema.getName(), types);
        this.rows = new RowConverter(wanted);
        this.columns = new ColumnIOFactory(footer.getCreated_by()).getColumnIO(wanted, schema);
    }

    private static ParquetException fault(String name, Exception cause) {
        return cause instanceof ParquetException known
                ? known
                : new ParquetException(
                        name + " cannot be read as Parquet: "
                                + Optional.ofNullable(cause.getMessage())
                                        .orElse(cause.getClass().getSimpleName()),
                        cause);
    }

    private static FileMetaData footer(FileChannel channel) throws IOException {
        if (channel.size() < MAGIC.length + TAIL) {
            throw new IllegalArgumentException("it is too short");
        }
        ByteBuffer tail = read(channel, channel.size() - TAIL, TAIL);
        int length = tail.getInt();
        byte[] magic = new byte[MAGIC.length];
        tail.get(magic);
        if (!Arrays.equals(magic, MAGIC)) {
            throw new IllegalArgumentException("it does not end with PAR1");
        }
        if (length <= 0 || length > LARGEST_FOOTER || length > channel.size() - MAGIC.length - TAIL) {
            throw new IllegalArgumentException("its footer has " + Integer.toUnsignedString(length) + " bytes");
        }
        byte[] bytes = new byte[length];
        read(channel, channel.size() - TAIL - length, length).get(bytes);
        return Util.readFileMetaData(new ByteArrayInputStream(bytes));
    }

    private static ByteBuffer read(FileChannel channel, long position, int length) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, position + buffer.position()) < 0) {
                throw new IllegalArgumentException("it ends early");
            }
        }
        return buffer.flip();
    }

    /**
     * The next row.
     *
     * @return empty at the end
     * @throws ParquetException the file is damaged or cannot be read
     */
    public Optional<ObjectNode> next() {
        try {
            while (rowsLeft == 0) {
                if (nextGroup == footer.getRow_groupsSize()) {
                    return Optional.empty();
                }
                RowGroup next = footer.getRow_groups().get(nextGroup++);
                rowsLeft = next.getNum_rows();
                group = rowsLeft == 0 ? null : columns.getRecordReader(new Group(next), rows);
            }
            rowsLeft--;
            return Optional.of(group.read());
        } catch (UncheckedIOException e) {
            throw fault(name, e.getCause());
        } catch (RuntimeException e) {
            throw fault(name, e);
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    /** The columns of a group of rows. */
    private final class Group implements PageReadStore {
        private final RowGroup group;
        private final Map<List<String>, ColumnMetaData> chunks = new HashMap<>();

        Group(RowGroup group) {
            this.group = group;
            for (ColumnChunk chunk : group.getColumns()) {
                if (!chunk.isSetMeta_data()) {
                    throw new IllegalArgumentException("it is encrypted");
                }
                chunks.put(chunk.getMeta_data().getPath_in_schema(), chunk.getMeta_data());
            }
        }

        @Override
        public PageReader getPageReader(ColumnDescriptor column) {
            ColumnMetaData chunk = chunks.get(List.of(column.getPath()));
            if (chunk == null) {
                throw new IllegalArgumentException(
                        "a group of rows lacks the column " + String.join(".", column.getPath()));
            }
            long start = chunk.getData_page_offset();
            if (chunk.isSetDictionary_page_offset() && chunk.getDictionary_page_offset() > 0) {
                start = Math.min(start, chunk.getDictionary_page_offset());
            }
            long bytes = chunk.getTotal_compressed_size();
            if (start < 0 || bytes < 0) {
                throw new IllegalArgumentException("a column lies outside of the file");
            }
            return new Pages(
                    new ChannelSlice(channel, start, bytes),
                    chunk.getCodec(),
                    column.getPrimitiveType(),
                    chunk.getNum_values());
        }

        @Override
        public long getRowCount() {
            return group.getNum_rows();
        }
    }
}
