package dev.luq.parquet;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.BinaryNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.FloatNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.io.api.Converter;
import org.apache.parquet.io.api.GroupConverter;
import org.apache.parquet.io.api.PrimitiveConverter;
import org.apache.parquet.io.api.RecordMaterializer;
import org.apache.parquet.schema.GroupType;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.Type;
import org.apache.parquet.schema.Type.Repetition;

/** Makes a JSON object of a row: fields without a value are absent, bytes that are no text are binary nodes. */
final class RowConverter extends RecordMaterializer<ObjectNode> {

    private final Fields root;
    private ObjectNode row;

    RowConverter(MessageType schema) {
        this.root = new Fields(schema, node -> row = (ObjectNode) node);
    }

    @Override
    public ObjectNode getCurrentRecord() {
        return row;
    }

    @Override
    public GroupConverter getRootConverter() {
        return root;
    }

    private static Converter converter(Type type, Consumer<JsonNode> sink) {
        if (type.isPrimitive()) {
            return new Value(LogicalTypeAnnotation.stringType().equals(type.getLogicalTypeAnnotation()), sink);
        }
        GroupType group = type.asGroupType();
        return LogicalTypeAnnotation.listType().equals(group.getLogicalTypeAnnotation())
                        && group.getFieldCount() == 1
                        && group.getType(0).isRepetition(Repetition.REPEATED)
                ? new Elements(group, sink)
                : new Fields(group, sink);
    }

    /** A group of columns, whose value is made anew for each time it occurs. */
    private abstract static class Group<V extends JsonNode> extends GroupConverter {
        private final Supplier<V> empty;
        private final Consumer<JsonNode> sink;
        /** Of the occurrence that is being read. */
        V value;

        Group(Supplier<V> empty, Consumer<JsonNode> sink) {
            this.empty = empty;
            this.sink = sink;
        }

        @Override
        public void start() {
            value = empty.get();
        }

        @Override
        public void end() {
            sink.accept(value);
        }
    }

    /** A group of named fields. */
    private static final class Fields extends Group<ObjectNode> {
        private final List<Converter> fields;

        Fields(GroupType type, Consumer<JsonNode> sink) {
            super(JsonNodeFactory.instance::objectNode, sink);
            this.fields = type.getFields().stream()
                    .map(field -> converter(field, node -> add(field, node)))
                    .toList();
        }

        /** A field that is repeated outside of a list has its values in an array. */
        private void add(Type field, JsonNode node) {
            if (field.isRepetition(Repetition.REPEATED)) {
                value.withArrayProperty(field.getName()).add(node);
            } else {
                value.set(field.getName(), node);
            }
        }

        @Override
        public Converter getConverter(int index) {
            return fields.get(index);
        }
    }

    /** A list: its group has one repeated field, which is the element or a group around it. */
    private static final class Elements extends Group<ArrayNode> {
        private final Converter repeated;

        Elements(GroupType list, Consumer<JsonNode> sink) {
            super(JsonNodeFactory.instance::arrayNode, sink);
            Type type = list.getType(0);
            this.repeated = isAround(list, type)
                    ? new Element(type.asGroupType().getType(0), node -> value.add(node))
                    : converter(type, node -> value.add(node));
        }

        /** By the rules of the format for files of older writers. */
        private static boolean isAround(GroupType list, Type repeated) {
            return !repeated.isPrimitive()
                    && repeated.asGroupType().getFieldCount() == 1
                    && !repeated.getName().equals("array")
                    && !repeated.getName().equals(list.getName() + "_tuple");
        }

        @Override
        public Converter getConverter(int index) {
            return repeated;
        }
    }

    /** The group around an element, which may lack it. */
    private static final class Element extends Group<JsonNode> {
        private final Converter element;

        Element(Type type, Consumer<JsonNode> sink) {
            super(NullNode::getInstance, sink);
            this.element = converter(type, node -> value = node);
        }

        @Override
        public Converter getConverter(int index) {
            return element;
        }
    }

    private static final class Value extends PrimitiveConverter {
        private final boolean text;
        private final Consumer<JsonNode> sink;

        Value(boolean text, Consumer<JsonNode> sink) {
            this.text = text;
            this.sink = sink;
        }

        @Override
        public void addBinary(Binary value) {
            sink.accept(text ? TextNode.valueOf(value.toStringUsingUTF8()) : BinaryNode.valueOf(value.getBytes()));
        }

        @Override
        public void addBoolean(boolean value) {
            sink.accept(BooleanNode.valueOf(value));
        }

        @Override
        public void addInt(int value) {
            sink.accept(IntNode.valueOf(value));
        }

        @Override
        public void addLong(long value) {
            sink.accept(LongNode.valueOf(value));
        }

        @Override
        public void addFloat(float value) {
            sink.accept(FloatNode.valueOf(value));
        }

        @Override
        public void addDouble(double value) {
            sink.accept(DoubleNode.valueOf(value));
        }
    }
}
