package dev.luq.llama;

import dev.luq.preset.global.llama;

/** Number format of the KV cache. */
public enum KvType {
    F16(llama.GGML_TYPE_F16),
    F32(llama.GGML_TYPE_F32);

    private final int ggmlType;

    KvType(int ggmlType) {
        this.ggmlType = ggmlType;
    }

    int ggmlType() {
        return ggmlType;
    }
}
