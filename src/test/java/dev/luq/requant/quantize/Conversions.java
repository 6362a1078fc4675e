package dev.luq.requant.quantize;

import dev.luq.gguf.GgmlType;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.GgufValue;
import dev.luq.gguf.GgufWriter;
import dev.luq.gguf.ModelFiles;
import dev.luq.llama.Quantizer;
import dev.luq.requant.TestModels;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.UnaryOperator;

/** Variants of F16 models. */
final class Conversions {

    /** Changes a tensor's data. */
    private interface Change {
        ByteBuffer apply(GgufTensor source, GgufTensor target, ByteBuffer data);
    }

    private Conversions() {}

    /** All matrices of another type. */
    static ModelFiles convert(ModelFiles model, GgmlType type, Path target) throws IOException {
        return write(
                model,
                target,
                tensor -> tensor.type() == GgmlType.F16 ? new GgufTensor(tensor.name(), type, tensor.shape()) : tensor,
                (source, made, data) -> {
                    if (source.type() == made.type()) {
                        return data;
                    }
                    int rows = (int) (source.elements() / source.extent(0));
                    ByteBuffer out = ByteBuffer.allocateDirect((int) made.bytes());
                    try (Quantizer quantizer =
                            Quantizer.create(source.type(), type, (int) source.extent(0), rows, null)) {
                        quantizer.quantize(
                                ByteBuffer.allocateDirect(data.remaining())
                                        .put(data)
                                        .flip(),
                                out);
                    }
                    return out.flip();
                });
    }

    /** The same tensors cut down to rows of 96 where they are longer: no model that runs, but one to quantize. */
    static ModelFiles narrow(ModelFiles model, Path target) throws IOException {
        return write(
                model,
                target,
                tensor -> {
                    if (tensor.shape().size() < 2) {
                        return tensor;
                    }
                    return new GgufTensor(
                            tensor.name(),
                            tensor.type(),
                            List.of(tensor.extent(0) > 256 ? 80L : 96L, tensor.extent(1)));
                },
                (source, made, data) -> data.limit((int) made.bytes()));
    }

    /**
     * The same tensors cut down to two rows, with other numbers of heads: no model that runs, but one to quantize.
     *
     * @param shared heads of queries for one of keys and values
     */
    static ModelFiles flat(ModelFiles model, int shared, Path target) throws IOException {
        String heads = model.first().text("general.architecture").orElseThrow() + ".attention.head_count";
        return write(
                model,
                Map.of(heads, GgufValue.uint32(2L * shared), heads + "_kv", GgufValue.uint32(2)),
                target,
                tensor -> tensor.shape().size() < 2
                        ? tensor
                        : new GgufTensor(tensor.name(), tensor.type(), List.of(tensor.extent(0), 2L)),
                (source, made, data) -> data.limit((int) made.bytes()));
    }

    /** One weight is no number. */
    static ModelFiles withNan(ModelFiles model, String name, Path target) throws IOException {
        return write(model, target, tensor -> tensor, (source, made, data) -> {
            if (source.name().equals(name)) {
                data.order(ByteOrder.LITTLE_ENDIAN).putShort(data.limit() - 2, (short) 0x7e00);
            }
            return data;
        });
    }

    /** One tensor is missing. */
    static ModelFiles without(ModelFiles model, String name, Path target) throws IOException {
        return write(model, target, tensor -> tensor.name().equals(name) ? null : tensor, (source, made, data) -> data);
    }

    /** @param tensors makes null of what is left out */
    private static ModelFiles write(ModelFiles model, Path target, UnaryOperator<GgufTensor> tensors, Change change)
            throws IOException {
        return write(model, Map.of(), target, tensors, change);
    }

    private static ModelFiles write(
            ModelFiles model,
            Map<String, GgufValue> changed,
            Path target,
            UnaryOperator<GgufTensor> tensors,
            Change change)
            throws IOException {
        Map<String, GgufValue> metadata = new LinkedHashMap<>(model.first().metadata());
        metadata.putAll(changed);
        List<GgufTensor> sources = model.first().tensors();
        try (GgufWriter writer = GgufWriter.create(
                target,
                metadata,
                sources.stream().map(tensors).filter(Objects::nonNull).toList())) {
            for (GgufTensor source : sources) {
                GgufTensor made = tensors.apply(source);
                if (made == null) {
                    continue;
                }
                writer.begin(made.name());
                writer.write(change.apply(source, made, TestModels.data(model, source.name())));
            }
            writer.commit();
        }
        return TestModels.read(target);
    }
}
