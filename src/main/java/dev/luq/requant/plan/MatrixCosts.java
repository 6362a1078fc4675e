package dev.luq.requant.plan;

import dev.luq.gguf.GgmlType;
import java.util.Collections;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What each matrix costs at each type.
 *
 * @param kld by the matrix's name: mean KL divergence from the base that this matrix adds at that type, in nats, as it is
 *     estimated. A type that a matrix cannot have is absent
 */
public record MatrixCosts(SortedMap<String, SortedMap<GgmlType, Double>> kld) {

    public MatrixCosts {
        SortedMap<String, SortedMap<GgmlType, Double>> copy = new TreeMap<>();
        kld.forEach((matrix, costs) -> copy.put(matrix, Collections.unmodifiableSortedMap(new TreeMap<>(costs))));
        kld = Collections.unmodifiableSortedMap(copy);
    }

    /**
     * The sum over all matrices, in nats: divergences of small errors that are independent add up.
     *
     * @param types of the matrices, by name
     * @return empty when a matrix has a type without a cost
     */
    public OptionalDouble of(Map<String, GgmlType> types) {
        double sum = 0;
        for (Map.Entry<String, SortedMap<GgmlType, Double>> matrix : kld.entrySet()) {
            Double cost = matrix.getValue().get(types.get(matrix.getKey()));
            if (cost == null) {
                return OptionalDouble.empty();
            }
            sum += cost;
        }
        return OptionalDouble.of(sum);
    }
}
