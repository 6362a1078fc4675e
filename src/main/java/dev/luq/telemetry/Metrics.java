package dev.luq.telemetry;

import java.time.Duration;

/**
 * The server's metrics: the one list of their names, as they appear in a scrape. All have the label {@code model_name}
 * but those of re-quantizations, which have {@code state} or {@code phase}, and of decoders, which have {@code reason}.
 */
enum Metrics {
    REQUESTS_WAITING("luq_requests_waiting", "Requests that wait for their model or a slot, or are being prepared"),
    REQUESTS_RUNNING("luq_requests_running", "Requests that hold a slot"),
    KV_CACHE_USAGE("luq_kv_cache_usage_ratio", "Used share of the KV cache, caches of ended requests included"),
    TIME_TO_FIRST_TOKEN("luq_time_to_first_token_seconds", "From the arrival of a request to its first token"),
    INTER_TOKEN_LATENCY(
            "luq_inter_token_latency_seconds",
            "Between two pieces of an answer: tokens, or what luq.worker.stream-interval gathers"),
    E2E_LATENCY("luq_e2e_request_latency_seconds", "From the arrival of a request to its end"),
    QUEUE_TIME("luq_request_queue_time_seconds", "Waiting for a slot"),
    PREFILL_TIME("luq_request_prefill_time_seconds", "Evaluating the prompt, images included"),
    DECODE_TIME("luq_request_decode_time_seconds", "Generating the answer"),
    REQUEST_PROMPT_TOKENS("luq_request_prompt_tokens", "Prompt tokens of a request"),
    REQUEST_GENERATION_TOKENS("luq_request_generation_tokens", "Generated tokens of a request"),
    PROMPT_TOKENS("luq_prompt_tokens_total", "Prompt tokens evaluated or taken from the cache"),
    GENERATION_TOKENS("luq_generation_tokens_total", "Generated tokens"),
    DRAFTED_TOKENS("luq_drafted_tokens_total", "Tokens decoded before they were sampled"),
    ACCEPTED_TOKENS("luq_accepted_tokens_total", "Drafted tokens that became part of an answer"),
    PREFIX_CACHE_QUERIES("luq_prefix_cache_queries_total", "Prompt tokens looked up in the prompt cache"),
    PREFIX_CACHE_HITS("luq_prefix_cache_hits_total", "Prompt tokens taken from the prompt cache"),
    IMAGE_CACHE_QUERIES("luq_image_embedding_cache_queries_total", "Images looked up in the embedding cache"),
    IMAGE_CACHE_HITS("luq_image_embedding_cache_hits_total", "Images taken from the embedding cache"),
    PROMPT_CACHE_BYTES("luq_prompt_cache_bytes", "Memory of prompts kept beyond the slots"),
    PROMPT_CACHE_HITS("luq_prompt_cache_hits_total", "Requests that went on from a prompt kept beyond the slots"),
    PROMPT_CACHE_EVICTIONS("luq_prompt_cache_evictions_total", "Prompts kept beyond the slots that went for others"),
    IMAGE_FILE_QUERIES("luq_image_embedding_file_queries_total", "Images looked up among the embeddings kept as files"),
    IMAGE_FILE_HITS("luq_image_embedding_file_hits_total", "Images taken from the embeddings kept as files"),
    PROMPT_FILE_QUERIES("luq_prompt_file_queries_total", "Prompts with images looked up among those kept as files"),
    PROMPT_FILE_HITS("luq_prompt_file_hits_total", "Requests that went on from a prompt kept as a file"),
    IMAGE_ENCODE("luq_image_encode_seconds", "Time spent encoding images, and the number of images"),
    IMAGE_DECODE("luq_image_decode_seconds", "Decoding an image, without waiting for a decoder"),
    DECODER_RESTARTS("luq_image_decoder_restarts_total", "Decoders that were replaced, by reason"),
    IMAGE_TOKENS("luq_image_tokens_total", "Image tokens of prompts"),
    REQUESTS_CANCELLED("luq_requests_cancelled_total", "Requests that the engine stopped for their client"),
    REQUEST_SUCCESS("luq_request_success_total", "Requests answered, by finished_reason"),
    REQUESTS_FAILED("luq_requests_failed_total", "Requests that were taken in and not answered, by finished_reason"),
    REQUESTS_REJECTED("luq_requests_rejected_total", "Requests refused at the door, by reason"),
    WORKER_RESTARTS("luq_worker_restarts_total", "Deaths of worker processes, by signal"),
    MODEL_READY(
            "luq_model_ready", "Whether requests to the model are answered, if need be after it is loaded: 1, else 0"),
    MODEL_INFO("luq_model_info", "1; describes the loaded model in its labels"),
    MODEL_MEMORY(
            "luq_model_memory_bytes",
            "Memory of a model by part: tensors of model and mmproj, resident memory of its process"),
    MODEL_LOAD(
            "luq_model_load_seconds",
            "From the moment a model gets its memory until it answers; restarts do not count"),
    MODEL_UNLOADS("luq_model_unloads_total", "Models that went from memory, by reason: idle, evicted, admin"),
    REQUANTIZE_JOBS("luq_requantize_jobs", "Re-quantizations by state"),
    REQUANTIZE_PHASE("luq_requantize_phase_seconds", "Time that processes spent in a phase of a re-quantization");

    /** Label with the model's id. */
    static final String MODEL = "model_name";

    /** Bounds of latencies: from one token on a fast machine to minutes for a large image on a slow one. */
    static final Duration[] LATENCY_BOUNDS =
            seconds(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 60, 120, 300, 600);

    /** Bounds of loads: from a small model in the page cache to a large one from a slow disk. */
    static final Duration[] LOAD_BOUNDS = seconds(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 60, 120, 300, 600);

    /** Bounds of phases: from what a cache holds to hours of a large model. */
    static final Duration[] PHASE_BOUNDS = seconds(0.1, 1, 5, 15, 60, 300, 900, 3600, 10_800, 43_200);

    /** Bounds of token counts, up to long contexts. */
    static final double[] TOKEN_BOUNDS = {1, 4, 16, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 131072};

    private final String name;
    private final String help;

    Metrics(String name, String help) {
        this.name = name;
        this.help = help;
    }

    /** Name in a scrape; a histogram appends {@code _bucket}, {@code _count} and {@code _sum}. */
    String metricName() {
        return name;
    }

    String help() {
        return help;
    }

    private static Duration[] seconds(double... seconds) {
        Duration[] bounds = new Duration[seconds.length];
        for (int i = 0; i < seconds.length; i++) {
            bounds[i] = Duration.ofNanos(Math.round(seconds[i] * 1e9));
        }
        return bounds;
    }
}
