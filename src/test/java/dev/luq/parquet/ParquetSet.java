package dev.luq.parquet;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.apache.parquet.bytes.BytesInput;
import org.apache.parquet.column.ColumnDescriptor;
import org.apache.parquet.column.ColumnWriteStore;
import org.apache.parquet.column.Encoding;
import org.apache.parquet.column.ParquetProperties;
import org.apache.parquet.column.ParquetProperties.WriterVersion;
import org.apache.parquet.column.page.DictionaryPage;
import org.apache.parquet.column.page.PageWriteStore;
import org.apache.parquet.column.page.PageWriter;
import org.apache.parquet.column.statistics.SizeStatistics;
import org.apache.parquet.column.statistics.Statistics;
import org.apache.parquet.format.ColumnChunk;
import org.apache.parquet.format.ColumnMetaData;
import org.apache.parquet.format.CompressionCodec;
import org.apache.parquet.format.ConvertedType;
import org.apache.parquet.format.DataPageHeader;
import org.apache.parquet.format.DataPageHeaderV2;
import org.apache.parquet.format.DictionaryPageHeader;
import org.apache.parquet.format.FieldRepetitionType;
import org.apache.parquet.format.FileMetaData;
import org.apache.parquet.format.PageHeader;
import org.apache.parquet.format.PageType;
import org.apache.parquet.format.RowGroup;
import org.apache.parquet.format.SchemaElement;
import org.apache.parquet.format.Util;
import org.apache.parquet.io.ColumnIOFactory;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.io.api.RecordConsumer;
import org.apache.parquet.schema.GroupType;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.MessageTypeParser;
import org.apache.parquet.schema.Type;

/** Writes small Parquet files for tests, through the encoders of parquet-column. */
public final class ParquetSet {

    private static final byte[] MAGIC = {'P', 'A', 'R', '1'};

    private final MessageType schema;
    private final WriterVersion version;
    private final CompressionCodec codec;
    private final int rowsOfGroup;

    /** @param schema in Parquet's own notation */
    public ParquetSet(String schema) {
        this(schema, WriterVersion.PARQUET_1_0, CompressionCodec.UNCOMPRESSED, Integer.MAX_VALUE);
    }

    /** @param codec UNCOMPRESSED or GZIP */
    ParquetSet(String schema, WriterVersion version, CompressionCodec codec, int rowsOfGroup) {
        this.schema = MessageTypeParser.parseMessageType(schema);
        this.version = version;
        this.codec = codec;
        this.rowsOfGroup = rowsOfGroup;
    }

    /** Writes rows as {@link ParquetFile} gives them. */
    public void write(Path file, List<ObjectNode> rows) throws IOException {
        FileMetaData footer = new FileMetaData(1, elements(), rows.size(), new ArrayList<>());
        footer.setCreated_by("LUQ Server, tests");
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.write(MAGIC);
        for (int start = 0; start < rows.size(); start += Math.min(rowsOfGroup, rows.size())) {
            List<ObjectNode> group = rows.subList(start, (int) Math.min((long) start + rowsOfGroup, rows.size()));
            footer.addToRow_groups(new Group(bytes).write(group));
        }
        int start = bytes.size();
        Util.writeFileMetaData(footer, bytes);
        bytes.write(ByteBuffer.allocate(Integer.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(bytes.size() - start)
                .array());
        bytes.write(MAGIC);
        Files.write(file, bytes.toByteArray());
    }

    private List<SchemaElement> elements() {
        List<SchemaElement> elements = new ArrayList<>();
        SchemaElement root = new SchemaElement(schema.getName());
        root.setNum_children(schema.getFieldCount());
        elements.add(root);
        schema.getFields().forEach(field -> add(field, elements));
        return elements;
    }

    private static void add(Type type, List<SchemaElement> elements) {
        SchemaElement element = new SchemaElement(type.getName());
        element.setRepetition_type(
                FieldRepetitionType.valueOf(type.getRepetition().name()));
        if (LogicalTypeAnnotation.stringType().equals(type.getLogicalTypeAnnotation())) {
            element.setConverted_type(ConvertedType.UTF8);
        } else if (LogicalTypeAnnotation.listType().equals(type.getLogicalTypeAnnotation())) {
            element.setConverted_type(ConvertedType.LIST);
        }
        elements.add(element);
        if (type.isPrimitive()) {
            element.setType(thrift(type));
        } else {
            element.setNum_children(type.asGroupType().getFieldCount());
            type.asGroupType().getFields().forEach(field -> add(field, elements));
        }
    }

    private static org.apache.parquet.format.Type thrift(Type type) {
        return switch (type.asPrimitiveType().getPrimitiveTypeName()) {
            case BINARY -> org.apache.parquet.format.Type.BYTE_ARRAY;
            case BOOLEAN -> org.apache.parquet.format.Type.BOOLEAN;
            case INT32 -> org.apache.parquet.format.Type.INT32;
            case INT64 -> org.apache.parquet.format.Type.INT64;
            case FLOAT -> org.apache.parquet.format.Type.FLOAT;
            case DOUBLE -> org.apache.parquet.format.Type.DOUBLE;
            default -> throw new IllegalArgumentException(type.toString());
        };
    }

    /** A group of rows, whose pages are kept until all of a column are known. */
    private final class Group implements PageWriteStore {
        private final ByteArrayOutputStream file;
        private final Map<ColumnDescriptor, Chunk> chunks = new LinkedHashMap<>();

        Group(ByteArrayOutputStream file) {
            this.file = file;
        }

        RowGroup write(List<ObjectNode> rows) throws IOException {
            ParquetProperties properties = ParquetProperties.builder()
                    .withWriterVersion(version)
                    .withDictionaryEncoding(true)
                    .build();
            ColumnWriteStore columns = properties.newColumnWriteStore(schema, this);
            RecordConsumer consumer = new ColumnIOFactory().getColumnIO(schema).getRecordWriter(columns);
            for (ObjectNode row : rows) {
                consumer.startMessage();
                fields(consumer, schema, row);
                consumer.endMessage();
            }
            consumer.flush();
            columns.flush();
            RowGroup group = new RowGroup(new ArrayList<>(), 0, rows.size());
            for (ColumnDescriptor column : schema.getColumns()) {
                group.addToColumns(chunks.get(column).chunk(column, file));
            }
            return group;
        }

        @Override
        public PageWriter getPageWriter(ColumnDescriptor column) {
            return chunks.computeIfAbsent(column, c -> new Chunk());
        }

        @Override
        public void close() {}
    }

    private void fields(RecordConsumer consumer, GroupType type, JsonNode object) {
        for (int i = 0; i < type.getFieldCount(); i++) {
            Type field = type.getType(i);
            JsonNode value = object.path(field.getName());
            if (!value.isMissingNode() && !value.isNull()) {
                consumer.startField(field.getName(), i);
                value(consumer, field, value);
                consumer.endField(field.getName(), i);
            }
        }
    }

    private void value(RecordConsumer consumer, Type type, JsonNode value) {
        if (type.isPrimitive()) {
            primitive(consumer, value, type);
            return;
        }
        consumer.startGroup();
        if (LogicalTypeAnnotation.listType().equals(type.getLogicalTypeAnnotation())) {
            Type repeated = type.asGroupType().getType(0);
            Iterator<JsonNode> elements = ((ArrayNode) value).elements();
            if (elements.hasNext()) {
                consumer.startField(repeated.getName(), 0);
                while (elements.hasNext()) {
                    JsonNode element = elements.next();
                    consumer.startGroup();
                    if (!element.isNull()) {
                        Type inner = repeated.asGroupType().getType(0);
                        consumer.startField(inner.getName(), 0);
                        value(consumer, inner, element);
                        consumer.endField(inner.getName(), 0);
                    }
                    consumer.endGroup();
                }
                consumer.endField(repeated.getName(), 0);
            }
        } else {
            fields(consumer, type.asGroupType(), value);
        }
        consumer.endGroup();
    }

    private static void primitive(RecordConsumer consumer, JsonNode value, Type type) {
        switch (type.asPrimitiveType().getPrimitiveTypeName()) {
            case BINARY -> consumer.addBinary(binary(value));
            case BOOLEAN -> consumer.addBoolean(value.booleanValue());
            case INT32 -> consumer.addInteger(value.intValue());
            case INT64 -> consumer.addLong(value.longValue());
            case FLOAT -> consumer.addFloat(value.floatValue());
            case DOUBLE -> consumer.addDouble(value.doubleValue());
            default -> throw new IllegalArgumentException(type.toString());
        }
    }

    private static Binary binary(JsonNode value) {
        try {
            return value.isTextual()
                    ? Binary.fromString(value.textValue())
                    : Binary.fromConstantByteArray(value.binaryValue());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The pages of a column. What this version of the library calls is what the next one leaves out. */
    @SuppressWarnings("deprecation")
    private final class Chunk implements PageWriter {
        private final ByteArrayOutputStream data = new ByteArrayOutputStream();
        private final ByteArrayOutputStream dictionary = new ByteArrayOutputStream();
        private final List<org.apache.parquet.format.Encoding> encodings = new ArrayList<>();
        private long values;

        ColumnChunk chunk(ColumnDescriptor column, ByteArrayOutputStream file) throws IOException {
            int start = file.size();
            dictionary.writeTo(file);
            int firstPage = file.size();
            data.writeTo(file);
            int size = file.size() - start;
            ColumnMetaData meta = new ColumnMetaData(
                    thrift(column.getPrimitiveType()),
                    encodings,
                    List.of(column.getPath()),
                    codec,
                    values,
                    size,
                    size,
                    firstPage);
            if (firstPage > start) {
                meta.setDictionary_page_offset(start);
            }
            ColumnChunk chunk = new ColumnChunk(start);
            chunk.setMeta_data(meta);
            return chunk;
        }

        private static byte[] bytes(BytesInput input) throws IOException {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            input.writeAllTo(bytes);
            return bytes.toByteArray();
        }

        private byte[] compressed(byte[] bytes) throws IOException {
            if (codec == CompressionCodec.UNCOMPRESSED) {
                return bytes;
            }
            ByteArrayOutputStream result = new ByteArrayOutputStream();
            try (OutputStream gzip = new GZIPOutputStream(result)) {
                gzip.write(bytes);
            }
            return result.toByteArray();
        }

        @Override
        public void writePage(BytesInput bytes, int count, Statistics<?> s, Encoding rl, Encoding dl, Encoding encoding)
                throws IOException {
            byte[] body = compressed(bytes(bytes));
            PageHeader header = new PageHeader(PageType.DATA_PAGE, (int) bytes.size(), body.length);
            header.setData_page_header(new DataPageHeader(count, encoding(encoding), encoding(dl), encoding(rl)));
            Util.writePageHeader(header, data);
            data.write(body);
            values += count;
            encodings.add(encoding(encoding));
        }

        @Override
        public void writePage(
                BytesInput bytes, int count, int rows, Statistics<?> s, Encoding rl, Encoding dl, Encoding encoding)
                throws IOException {
            writePage(bytes, count, s, rl, dl, encoding);
        }

        @Override
        public void writePageV2(
                int rows,
                int nulls,
                int count,
                BytesInput repetition,
                BytesInput definition,
                Encoding encoding,
                BytesInput bytes,
                Statistics<?> s)
                throws IOException {
            byte[] body = compressed(bytes(bytes));
            int levels = (int) (repetition.size() + definition.size());
            PageHeader header =
                    new PageHeader(PageType.DATA_PAGE_V2, levels + (int) bytes.size(), levels + body.length);
            header.setData_page_header_v2(new DataPageHeaderV2(
                    count, nulls, rows, encoding(encoding), (int) definition.size(), (int) repetition.size()));
            Util.writePageHeader(header, data);
            repetition.writeAllTo(data);
            definition.writeAllTo(data);
            data.write(body);
            values += count;
            encodings.add(encoding(encoding));
        }

        @Override
        public void writePage(
                BytesInput bytes,
                int count,
                int rows,
                Statistics<?> s,
                SizeStatistics sizes,
                Encoding rl,
                Encoding dl,
                Encoding encoding)
                throws IOException {
            writePage(bytes, count, s, rl, dl, encoding);
        }

        @Override
        public void writePageV2(
                int rows,
                int nulls,
                int count,
                BytesInput repetition,
                BytesInput definition,
                Encoding encoding,
                BytesInput bytes,
                Statistics<?> s,
                SizeStatistics sizes)
                throws IOException {
            writePageV2(rows, nulls, count, repetition, definition, encoding, bytes, s);
        }

        @Override
        public void writeDictionaryPage(DictionaryPage page) throws IOException {
            byte[] body = compressed(bytes(page.getBytes()));
            PageHeader header = new PageHeader(
                    PageType.DICTIONARY_PAGE, (int) page.getBytes().size(), body.length);
            header.setDictionary_page_header(
                    new DictionaryPageHeader(page.getDictionarySize(), encoding(page.getEncoding())));
            Util.writePageHeader(header, dictionary);
            dictionary.write(body);
        }

        private static org.apache.parquet.format.Encoding encoding(Encoding encoding) {
            return org.apache.parquet.format.Encoding.valueOf(encoding.name());
        }

        @Override
        public long getMemSize() {
            return data.size();
        }

        @Override
        public long allocatedSize() {
            return data.size();
        }

        @Override
        public String memUsageString(String prefix) {
            return prefix + data.size();
        }
    }
}
