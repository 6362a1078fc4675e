package dev.luq.requant.rank;

import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * What a layer costs more than at the high precision, by how much larger its quantization error is, from errors that it
 * was measured at. Small errors cost in proportion to their squares, which relative errors are; large ones cost more. So
 * costs are a line up to the smallest measured error, and a power of the error between two measured ones.
 */
final class CostCurve {

    private final NavigableMap<Double, Double> points = new TreeMap<>(Map.of(0.0, 0.0));

    /** @param measured costs in nats by errors. They may fall where the error grows: measurements have noise */
    CostCurve(Map<Double, Double> measured) {
        points.putAll(measured);
    }

    /**
     * The cost at an error: the measured one where it was measured.
     *
     * @param error below 0 for what is more exact than the high precision
     */
    double at(double error) {
        Map.Entry<Double, Double> below = points.floorEntry(error);
        Map.Entry<Double, Double> above = points.ceilingEntry(error);
        if (below == null) {
            Map.Entry<Double, Double> second = points.higherEntry(above.getKey());
            double slope = second == null
                    ? 0
                    : Math.max(0, (second.getValue() - above.getValue()) / (second.getKey() - above.getKey()));
            return above.getValue() - slope * (above.getKey() - error);
        }
        if (above == null) {
            return below.getKey() == 0 ? below.getValue() : below.getValue() * error / below.getKey();
        }
        if (above.getKey().equals(below.getKey())) {
            return below.getValue();
        }
        if (below.getKey() > 0 && below.getValue() > 0 && above.getValue() > 0) {
            double share = Math.log(error / below.getKey()) / Math.log(above.getKey() / below.getKey());
            return below.getValue() * Math.pow(above.getValue() / below.getValue(), share);
        }
        double share = (error - below.getKey()) / (above.getKey() - below.getKey());
        return below.getValue() + share * (above.getValue() - below.getValue());
    }
}
