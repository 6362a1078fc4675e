package dev.luq.requant.plan;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What each layer costs at each precision.
 *
 * @param kld per layer in the model's order: mean KL divergence from the base, in nats, with this one layer at that
 *     precision and all others high, measured or estimated from measurements at other precisions
 */
public record LayerCosts(List<Map<Precision, Double>> kld) {

    public LayerCosts {
        kld = kld.stream()
                .<Map<Precision, Double>>map(costs -> Collections.unmodifiableMap(new TreeMap<>(costs)))
                .toList();
    }
}
