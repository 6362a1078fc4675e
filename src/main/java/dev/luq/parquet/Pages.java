package dev.luq.parquet;

import io.airlift.compress.Decompressor;
import io.airlift.compress.lz4.Lz4Decompressor;
import io.airlift.compress.snappy.SnappyDecompressor;
import io.airlift.compress.zstd.ZstdDecompressor;
import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;
import org.apache.parquet.bytes.BytesInput;
import org.apache.parquet.column.Encoding;
import org.apache.parquet.column.page.DataPage;
import org.apache.parquet.column.page.DataPageV1;
import org.apache.parquet.column.page.DataPageV2;
import org.apache.parquet.column.page.DictionaryPage;
import org.apache.parquet.column.page.PageReader;
import org.apache.parquet.column.statistics.Statistics;
import org.apache.parquet.format.CompressionCodec;
import org.apache.parquet.format.DataPageHeader;
import org.apache.parquet.format.DataPageHeaderV2;
import org.apache.parquet.format.PageHeader;
import org.apache.parquet.format.PageType;
import org.apache.parquet.format.Util;
import org.apache.parquet.schema.PrimitiveType;

/** The pages of one column in one group of rows, read from the file one after the other. */
final class Pages implements PageReader {

    /** Bytes of a page at most, before and after decompression: that of a hundred pictures of 2.5 MiB. */
    static final int LARGEST = 256 << 20;

    private final InputStream chunk;
    private final CompressionCodec codec;
    private final PrimitiveType type;
    private final long values;
    private long valuesRead;
    private PageHeader ahead;

    /**
     * @param chunk the column's bytes, from its first page on
     * @param values that its pages hold together
     */
    Pages(InputStream chunk, CompressionCodec codec, PrimitiveType type, long values) {
        this.chunk = new BufferedInputStream(chunk);
        this.codec = codec;
        this.type = type;
        this.values = values;
    }

    @Override
    public long getTotalValueCount() {
        return values;
    }

    @Override
    public DictionaryPage readDictionaryPage() {
        try {
            if (values == 0 || header().getType() != PageType.DICTIONARY_PAGE) {
                return null;
            }
            PageHeader header = take();
            int entries = header.getDictionary_page_header().getNum_values();
            if (entries < 0 || entries > header.getUncompressed_page_size()) {
                throw new IllegalArgumentException("a dictionary has more values than bytes");
            }
            return new DictionaryPage(
                    content(header),
                    entries,
                    encoding(header.getDictionary_page_header().getEncoding()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public DataPage readPage() {
        try {
            while (valuesRead < values) {
                PageHeader header = take();
                switch (header.getType()) {
                    case DATA_PAGE -> {
                        return first(header);
                    }
                    case DATA_PAGE_V2 -> {
                        return second(header);
                    }
                    default -> chunk.skipNBytes(size(header.getCompressed_page_size()));
                }
            }
            return null;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private PageHeader header() throws IOException {
        if (ahead == null) {
            ahead = Util.readPageHeader(chunk);
        }
        return ahead;
    }

    private PageHeader take() throws IOException {
        PageHeader header = header();
        ahead = null;
        return header;
    }

    private DataPage first(PageHeader header) throws IOException {
        DataPageHeader page = header.getData_page_header();
        valuesRead += count(page.getNum_values());
        return new DataPageV1(
                content(header),
                page.getNum_values(),
                header.getUncompressed_page_size(),
                noStatistics(),
                encoding(page.getRepetition_level_encoding()),
                encoding(page.getDefinition_level_encoding()),
                encoding(page.getEncoding()));
    }

    /** Its levels are not compressed. */
    private DataPage second(PageHeader header) throws IOException {
        DataPageHeaderV2 page = header.getData_page_header_v2();
        valuesRead += count(page.getNum_values());
        byte[] repetition = bytes(page.getRepetition_levels_byte_length());
        byte[] definition = bytes(page.getDefinition_levels_byte_length());
        int levels = repetition.length + definition.length;
        byte[] data = bytes(header.getCompressed_page_size() - levels);
        boolean compressed = !page.isSetIs_compressed() || page.isIs_compressed();
        return DataPageV2.uncompressed(
                page.getNum_rows(),
                page.getNum_nulls(),
                page.getNum_values(),
                BytesInput.from(repetition),
                BytesInput.from(definition),
                encoding(page.getEncoding()),
                BytesInput.from(compressed ? decompressed(data, header.getUncompressed_page_size() - levels) : data),
                noStatistics());
    }

    private Statistics<?> noStatistics() {
        return Statistics.createStats(type);
    }

    private static Encoding encoding(org.apache.parquet.format.Encoding encoding) {
        return Encoding.valueOf(encoding.name());
    }

    /** What makes no progress would be read for ever. */
    private static int count(int values) {
        if (values <= 0) {
            throw new IllegalArgumentException("a page holds no values");
        }
        return values;
    }

    private static int size(int bytes) {
        if (bytes < 0 || bytes > LARGEST) {
            throw new IllegalArgumentException("a page has " + Integer.toUnsignedString(bytes) + " bytes; at most "
                    + LARGEST + " are read: write the file with smaller groups of rows");
        }
        return bytes;
    }

    private BytesInput content(PageHeader header) throws IOException {
        byte[] compressed = bytes(header.getCompressed_page_size());
        return BytesInput.from(decompressed(compressed, header.getUncompressed_page_size()));
    }

    private byte[] bytes(int count) throws IOException {
        byte[] bytes = chunk.readNBytes(size(count));
        if (bytes.length < count) {
            throw new IllegalArgumentException("a column ends within a page");
        }
        return bytes;
    }

    private byte[] decompressed(byte[] bytes, int count) throws IOException {
        int length = size(count);
        byte[] result =
                switch (codec) {
                    case UNCOMPRESSED -> bytes;
                    case SNAPPY -> decompressed(new SnappyDecompressor(), bytes, length);
                    case ZSTD -> decompressed(new ZstdDecompressor(), bytes, length);
                    case LZ4_RAW -> decompressed(new Lz4Decompressor(), bytes, length);
                    case GZIP -> gunzipped(bytes, length);
                    case LZO, BROTLI, LZ4 ->
                        throw new IllegalArgumentException("it is compressed with " + codec
                                + "; write it with SNAPPY, ZSTD, GZIP, LZ4_RAW or UNCOMPRESSED");
                };
        if (result.length != length) {
            throw new IllegalArgumentException("a page is shorter than it says");
        }
        return result;
    }

    private static byte[] decompressed(Decompressor decompressor, byte[] bytes, int length) {
        if (length == 0) {
            return new byte[0];
        }
        byte[] result = new byte[length];
        int written = decompressor.decompress(bytes, 0, bytes.length, result, 0, length);
        return written == length ? result : Arrays.copyOf(result, written);
    }

    private static byte[] gunzipped(byte[] bytes, int length) throws IOException {
        try (InputStream plain = new GZIPInputStream(new ByteArrayInputStream(bytes))) {
            return plain.readNBytes(length);
        }
    }
}
