/**
 * Where quantized layers lie: immutable files that models at any budget share. A folder of this layout:
 *
 * <pre>
 * store     := entries/ manifests/ leases/ sources/ lock collect?
 * entries   := (KEY.gguf KEY.json)*       one split of a split GGUF; KEY is a {@link dev.luq.requant.store.EntryKey}.
 *                                         KEY.json is {"bytes", "sha256"} of KEY.gguf. It is written last: without it the
 *                                         entry does not exist, and is written anew
 * manifests := ID.json*                   a {@link dev.luq.requant.store.Manifest}
 * leases    := (ID~UUID.lease | .building~UUID.lease)*   locked by the process that holds it; an unlocked one is left over
 * sources   := KEY.json*                  digests of base files, see {@link dev.luq.requant.store.Fingerprint}
 * lock      := empty                      locked for publishing, deleting, leasing and collecting garbage
 * collect   := empty                      there while garbage is to be collected when no model is being made any more
 * </pre>
 *
 * Split 0 of a model holds the metadata and the tensors outside the layers, split i + 1 layer i in one of its
 * precisions. All precisions of a layer are the same split of equally many, so any combination is a model that
 * {@code llama_model_load_from_splits} loads.
 *
 * <p>Every file is written beside its place, made durable and renamed (hidden names ending in {@code .tmp} are
 * unfinished), so a kill or a power cut at any moment leaves the old state or the new one. Entries are never changed;
 * they go when neither a manifest nor a lease needs them and garbage is collected.
 */
package dev.luq.requant.store;
