package dev.luq.requant.quantize;

import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.GgufValue;
import dev.luq.requant.store.EntryKey;
import java.util.List;
import java.util.Map;

/**
 * A file that a plan asks for.
 *
 * @param key names it by everything that decides its content
 * @param metadata of the GGUF
 * @param jobs its tensors, in the file's order
 */
record SplitFile(EntryKey key, Map<String, GgufValue> metadata, List<TensorJob> jobs) {

    List<GgufTensor> tensors() {
        return jobs.stream().map(TensorJob::target).toList();
    }

    long weights() {
        return jobs.stream().mapToLong(job -> job.source().elements()).sum();
    }

    long bytes() {
        return tensors().stream().mapToLong(GgufTensor::bytes).sum();
    }
}
