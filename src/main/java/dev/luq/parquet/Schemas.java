package dev.luq.parquet;

import java.util.ArrayList;
import java.util.List;
import org.apache.parquet.format.ConvertedType;
import org.apache.parquet.format.FieldRepetitionType;
import org.apache.parquet.format.SchemaElement;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Type;
import org.apache.parquet.schema.Type.Repetition;
import org.apache.parquet.schema.Types;

/** The tree of columns, which a footer holds as a list in depth-first order. Keeps what texts and lists need. */
final class Schemas {

    private static final int DEEPEST = 32;

    private final List<SchemaElement> elements;
    private int next;

    private Schemas(List<SchemaElement> elements) {
        this.elements = elements;
    }

    /** @throws IllegalArgumentException the list is no tree */
    static MessageType of(List<SchemaElement> elements) {
        Schemas schemas = new Schemas(elements);
        SchemaElement root = schemas.take();
        MessageType message = new MessageType(root.getName(), schemas.children(root, 0));
        check(schemas.next == elements.size(), "it has columns outside of the tree");
        return message;
    }

    private static void check(boolean condition, String fault) {
        if (!condition) {
            throw new IllegalArgumentException(fault);
        }
    }

    private SchemaElement take() {
        check(next < elements.size(), "its list of columns ends early");
        return elements.get(next++);
    }

    private List<Type> children(SchemaElement parent, int depth) {
        check(depth < DEEPEST, "its columns are nested more than " + DEEPEST + " deep");
        List<Type> children = new ArrayList<>();
        for (int i = 0; i < parent.getNum_children(); i++) {
            children.add(child(depth));
        }
        return children;
    }

    private Type child(int depth) {
        SchemaElement element = take();
        check(element.isSetRepetition_type(), "a column says not how often it occurs");
        Repetition repetition = repetition(element.getRepetition_type());
        if (element.getNum_children() > 0) {
            List<Type> children = children(element, depth + 1);
            return Types.buildGroup(repetition)
                    .as(isList(element) ? LogicalTypeAnnotation.listType() : null)
                    .addFields(children.toArray(Type[]::new))
                    .named(element.getName());
        }
        check(element.isSetType(), "a column has neither a type nor columns below it");
        return Types.primitive(type(element), repetition)
                .length(element.getType_length())
                .as(isText(element) ? LogicalTypeAnnotation.stringType() : null)
                .named(element.getName());
    }

    private static Repetition repetition(FieldRepetitionType type) {
        return switch (type) {
            case REQUIRED -> Repetition.REQUIRED;
            case OPTIONAL -> Repetition.OPTIONAL;
            case REPEATED -> Repetition.REPEATED;
        };
    }

    private static PrimitiveTypeName type(SchemaElement element) {
        return switch (element.getType()) {
            case BOOLEAN -> PrimitiveTypeName.BOOLEAN;
            case INT32 -> PrimitiveTypeName.INT32;
            case INT64 -> PrimitiveTypeName.INT64;
            case INT96 -> PrimitiveTypeName.INT96;
            case FLOAT -> PrimitiveTypeName.FLOAT;
            case DOUBLE -> PrimitiveTypeName.DOUBLE;
            case BYTE_ARRAY -> PrimitiveTypeName.BINARY;
            case FIXED_LEN_BYTE_ARRAY -> PrimitiveTypeName.FIXED_LEN_BYTE_ARRAY;
        };
    }

    private static boolean isList(SchemaElement element) {
        return element.getConverted_type() == ConvertedType.LIST
                || element.isSetLogicalType() && element.getLogicalType().isSetLIST();
    }

    private static boolean isText(SchemaElement element) {
        ConvertedType converted = element.getConverted_type();
        return converted == ConvertedType.UTF8
                || converted == ConvertedType.ENUM
                || converted == ConvertedType.JSON
                || element.isSetLogicalType()
                        && (element.getLogicalType().isSetSTRING()
                                || element.getLogicalType().isSetENUM()
                                || element.getLogicalType().isSetJSON());
    }
}
