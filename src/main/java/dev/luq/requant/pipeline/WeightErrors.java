package dev.luq.requant.pipeline;

import dev.luq.gguf.GgmlType;
import dev.luq.gguf.LayeredModel;
import dev.luq.llama.Quantizer;
import dev.luq.requant.plan.TensorTypes;
import dev.luq.requant.rank.MatrixErrors;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The errors of the base model's matrices at every type, each measured once. */
final class WeightErrors {

    private static final String VERSION = "2";

    private WeightErrors() {}

    static MatrixErrors measure(
            JobInputs inputs, Cache cache, KeyedImatrix matrix, Threads threads, JobProgress progress) {
        LayeredModel model = LayeredModel.of(inputs.model());
        Map<String, List<GgmlType>> types = new TreeMap<>();
        inputs.model().parts().stream()
                .flatMap(part -> part.tensors().stream())
                .forEach(tensor -> types.put(tensor.name(), List.copyOf(TensorTypes.used(tensor, model))));
        types.values().removeIf(List::isEmpty);
        return cache.value(
                "errors",
                List.of("errors", VERSION, inputs.identity(), matrix.key(), types.toString(), Quantizer.method()),
                MatrixErrors.class,
                () -> Cancellable.run(
                        progress::cancelled,
                        () -> MatrixErrors.measure(
                                inputs.model(),
                                types,
                                matrix.values(),
                                matrix.bounded(),
                                threads.slices(),
                                progress::report)));
    }
}
