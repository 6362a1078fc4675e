package dev.luq.requant.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.LayeredModel;
import dev.luq.requant.TestModels;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class MatrixGroupTest {

    @Test
    void eachMatrixWithAChoiceIsInOneGroup() throws Exception {
        LayeredModel model = LayeredModel.of(TestModels.model(TestModels.QWEN));
        List<String> withChoice = Stream.concat(
                        model.outside().stream(), model.layers().stream().flatMap(List::stream))
                .filter(tensor -> !TensorTypes.choices(tensor, model.tied()).isEmpty())
                .map(GgufTensor::name)
                .sorted()
                .toList();
        assertEquals(
                withChoice,
                MatrixGroup.of(model).stream()
                        .flatMap(group -> group.matrices().stream())
                        .sorted()
                        .toList());
    }

    @Test
    void aKindIsTheSameInEveryLayer() {
        assertEquals("ffn_down", MatrixGroup.kind("blk.3.ffn_down.weight"));
        assertEquals("token_embd", MatrixGroup.kind("token_embd.weight"));
    }
}
