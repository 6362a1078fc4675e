package dev.luq.serving;

import dev.luq.machine.Kernels;
import dev.luq.machine.KvType;
import dev.luq.process.ProcessConfig;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;

/** How model processes are run; the same for all models where they have no settings of their own. */
@ConfigMapping(prefix = "luq.worker")
public interface WorkerConfig {

    /** Sequences that one model decodes at once. */
    @WithDefault("4")
    int slots();

    /** Requests that may wait for a slot of one model; further ones are refused with 429. */
    @WithDefault("32")
    int queueSize();

    /**
     * Longest time from the arrival of a request, when its body has come, to its last token, the load of its model and the
     * decoding of its images included; then it ends with 504 or an error event.
     */
    @WithDefault("10M")
    Duration deadline();

    /** Tokens of KV cache shared by all slots; 0 takes the smaller of the model's training context and 8192. */
    @WithDefault("0")
    int contextSize();

    /**
     * Tokens of the KV cache that one request may take, prompt and answer together; 0 for all of them. Where that is more
     * than an even share, a long request may keep others waiting, and an answer ends with {@code length} where others hold
     * the rest. {@code context-size} divided by {@code slots} keeps requests out of each other's way.
     */
    @WithDefault("0")
    int slotContextSize();

    /** Tokens evaluated in one step at most. A long prompt delays other streams by one such step. */
    @WithDefault("128")
    int batchSize();

    /**
     * Compute threads for decoding; 0 takes the processors that this process may use, by affinity, cpuset and the quotas of
     * its control groups, rounded down.
     */
    @WithDefault("0")
    int threads();

    /**
     * What multiplies the weights where a model has no setting of its own: {@code fast}, our own kernels where they know
     * the type of the weights and the processor; {@code compact}, the same with weights that take hardly more memory than
     * in the file; or {@code stock}, llama.cpp's everywhere. Of each, the fastest that is right on this machine is taken
     * ({@code ./luq doctor}).
     */
    @WithDefault("fast")
    Kernels kernels();

    /**
     * Number format of the KV cache: {@code f16}; {@code q8_0}, which takes 53 % of its memory, needs a model whose heads are
     * a multiple of 32 wide, and is read by llama.cpp's attention instead of ours; or {@code f32}, for comparisons.
     */
    @WithDefault("f16")
    KvType kvCacheType();

    /**
     * Compute threads for encoding images; 0 takes as many as for decoding. Where both together are more than the processors,
     * encoding and decoding compute in turns of equal length; otherwise beside each other.
     */
    @WithDefault("0")
    int imageThreads();

    /** Upper bound of the image embedding cache, in bytes. */
    @WithDefault("134217728")
    long imageCacheBytes();

    /**
     * Upper bound of the memory for prompts beyond the slots, in bytes, for each model: what a slot held of keys and values
     * is kept when the slot is given to another conversation, and copied back when the first one goes on. Counts for the
     * memory of a model in full. 0 keeps none. A token takes what it takes in the KV cache: 56 KiB in Qwen2.5-VL-7B at F16.
     */
    @WithDefault("0")
    long promptCacheBytes();

    /**
     * Whether tokens are drafted and checked several in one step: {@code none}; or {@code ngram}, which drafts what
     * followed the latest tokens where they came before, in the prompt or in the answer, so that answers that copy
     * take fewer steps. Whatever was drafted, each token is sampled as without. The logits of several tokens in one
     * step may differ in their last digits from those of one after the other, so that a greedy answer may go on
     * differently where two tokens are nearly as likely, as it may beside other requests. They are the same to the
     * last bit where kernels compute a token alike alone and among others, as ours do, and {@code kv-cache-type} is
     * {@code q8_0}; at {@code f16} only up to 256 tokens of context, beyond which llama.cpp divides the attention of a
     * single token among its threads. Recurrent models draft nothing.
     */
    @WithDefault("none")
    Speculation speculation();

    /**
     * With {@code ngram}, tokens that one step drafts at most; the slots that generate share them, and prompts that
     * are evaluated come first. Drafts are shorter where earlier ones of the same answer were refused. Never more
     * than the batch size less the slots.
     */
    @WithDefault("8")
    int draftTokens();

    /**
     * Upper bound of the embeddings of images that are kept as files in the data folder, in bytes, for all models together:
     * an image that was seen before a restart is not encoded again. The least recently used ones go first; those of a model
     * that is removed go with it. 0 keeps none and removes what there is. An image takes as much as its tokens' embeddings:
     * 18 MiB for 1,296 tokens of Qwen2.5-VL-7B.
     */
    @WithDefault("536870912")
    long imageFilesBytes();

    /**
     * Upper bound of the keys and values of prompts that are kept as files in the data folder, in bytes, for all models
     * together: of a prompt with images, what the model holds up to the last one, so that a question about a picture that was
     * asked about before a restart is answered without evaluating it again. The files tell what the prompts say. The least
     * recently used ones go first; those of a model that is removed go with it. 0 keeps none and removes what there is. A
     * token takes what it takes in the KV cache: 71 MiB for a picture of 1,296 tokens of Qwen2.5-VL-7B at F16. Reading and
     * writing them take memory: 128 MiB, or what one of at most half of the KV cache takes; longer ones are not kept.
     */
    @WithDefault("2147483648")
    long promptFilesBytes();

    /**
     * Upper bound of one image's tokens, larger images are scaled down; 0 takes the model's own. 1280 is what Qwen2.5-VL's
     * authors advise for balancing speed and memory (their max_pixels = 1280 * 28 * 28): the encoder of 7B takes 0.15 GiB for
     * them, and 0.4 GiB for the model's own bound of 4096.
     */
    @WithDefault("1280")
    int imageMaxTokens();

    /**
     * Upper bound of the decoded pixels (3 bytes each) that requests hold in one worker until their answers begin. A
     * request beyond it is refused: with 429 while others hold the memory, as too large when it could never fit.
     */
    @WithDefault("134217728")
    long imageBytesInFlight();

    /**
     * Upper bound of the texts, schemas and tools (2 bytes a character) that requests hold in one worker until the engine
     * has made tokens of them. A request beyond it is refused: with 429 while others hold the memory, as too large when it
     * could never fit.
     */
    @WithDefault("33554432")
    long textBytesInFlight();

    /**
     * Text generated within this time of a stream's last event goes into its next event: events cost time on the cores
     * that compute. The first token is sent at once; zero sends every token on its own.
     */
    @WithDefault("20ms")
    Duration streamInterval();

    /** Generated pieces kept for a client that reads slowly; its generation is cancelled when there are more. */
    @WithDefault("1024")
    int streamBuffer();

    /**
     * A worker that has not confirmed the end of a cancelled request after this time hangs, and is replaced. Longer
     * than its longest step takes, which cannot be interrupted.
     */
    @WithDefault("5M")
    Duration stallTimeout();

    /** A worker that gets no further with loading its model for this long hangs: the model is given up. */
    @WithDefault("3M")
    Duration loadStallTimeout();

    /**
     * Upper bound of the memory of all models' processes together, in bytes: weights, projectors, KV caches and
     * buffers. A model that does not fit beside the others ends those that are not pinned, or is refused. 0 takes what
     * the machine, or the control group that the server is in, has, less a tenth of it and at least 256 MiB for the
     * server and what else runs. Models that are loaded at the start are loaded even beyond it, and so is what takes
     * the place of a model that is served.
     */
    @WithDefault("0")
    long memoryLimitBytes();

    /**
     * How long a request waits for its model to be loaded, until other models have given it their memory included; then
     * it is refused with 503, and the loading goes on. 0 for not at all; no longer than {@code deadline}.
     */
    @WithDefault("2M")
    Duration loadWait();

    /** How long a call that loads or changes a model waits at most; what it began goes on. */
    @WithDefault("15M")
    Duration loadTimeout();

    /** How often it is looked whether the files of a model that cannot be served have changed; then it is tried again. */
    @WithDefault("5S")
    Duration fileCheckInterval();

    /**
     * How long running requests may go on after the server was told to stop; then they end with an error. Keep it
     * below {@code quarkus.shutdown.timeout}, after which connections are closed without a word.
     */
    @WithDefault("25S")
    Duration drainTime();

    /** How long a process may take to end by itself once it works on nothing any more; then it is killed. */
    @WithDefault("5S")
    Duration exitTime();

    /** What happens after a worker died. */
    Restart restart();

    /** The worker's process. */
    ProcessConfig process();

    /** How tokens are drafted. */
    enum Speculation {
        NONE,
        NGRAM
    }

    /** What happens after a worker died. The first restart takes place at once. */
    interface Restart {

        /** Pause before the second restart in a row; every further one doubles it. */
        @WithDefault("1S")
        Duration backOff();

        /** Longest pause. */
        @WithDefault("1M")
        Duration maxBackOff();

        /** A worker that has been ready for this long is stable: the next restart is a first one again. */
        @WithDefault("1M")
        Duration stableAfter();

        /** A model whose process dies this many times in a row without ever having been ready is given up. */
        @WithDefault("3")
        int loadAttempts();

        /** Inputs in quarantine at most: those that a worker worked on when it crashed. */
        @WithDefault("1024")
        int suspects();

        /**
         * How long such an input stays in quarantine. Until it is answered it runs alone, and it is refused when that
         * crashes a worker again.
         */
        @WithDefault("1H")
        Duration suspicion();

        /**
         * Longest time that other requests wait until those that run before an input in quarantine have ended, and again
         * until it has ended itself. Then as much time is theirs alone.
         */
        @WithDefault("30S")
        Duration probation();
    }
}
