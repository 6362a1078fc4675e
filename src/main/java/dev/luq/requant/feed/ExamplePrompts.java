package dev.luq.requant.feed;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.llama.ChatTemplates;
import dev.luq.llama.FiniteNumbers;
import dev.luq.llama.ImageEmbedding;
import dev.luq.llama.Model;
import dev.luq.llama.Vision;
import dev.luq.llama.VisionOptions;
import dev.luq.prompt.PromptBuilder;
import dev.luq.prompt.PromptException;
import dev.luq.prompt.PromptRequest;
import dev.luq.prompt.PromptUnit;
import dev.luq.requant.data.Example;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Prompts of examples for one model. The chat template and the projector are opened when a prompt or an image is not in
 * the cache. Not thread-safe.
 */
final class ExamplePrompts implements AutoCloseable {

    private static final ObjectMapper JSON = new ObjectMapper();

    private final Model model;
    private final Optional<Path> mmproj;
    private final FeedOptions options;
    private final FeedCache cache;
    private ChatTemplates templates;
    private Vision vision;
    private PromptBuilder builder;

    /**
     * @param model stays the caller's
     * @param cache stays the caller's
     */
    ExamplePrompts(Model model, Optional<Path> mmproj, FeedOptions options, FeedCache cache) {
        this.model = model;
        this.mmproj = mmproj;
        this.options = options;
        this.cache = cache;
    }

    Optional<Path> mmproj() {
        return mmproj;
    }

    /**
     * Opens template and projector now.
     *
     * @throws dev.luq.llama.LlamaException they cannot be used with the model
     */
    void open() {
        if (builder == null) {
            if (mmproj.isPresent()) {
                vision = Vision.open(mmproj.get(), model, new VisionOptions(options.threads(), options.imageTokens()));
            }
            templates = options.chatTemplate()
                    .map(template -> ChatTemplates.of(model, template))
                    .orElseGet(() -> ChatTemplates.of(model));
            builder = new PromptBuilder(model, templates, vision);
        }
    }

    /** @throws FeedException.Unusable the example cannot become a prompt of this model */
    Input of(Example example) {
        return new Input(example);
    }

    /** An example's prompt, and its preprocessed images once one of them has to be encoded. */
    final class Input implements AutoCloseable {

        private final Example example;
        private final List<PromptUnit> units;
        private PromptBuilder.Prepared prepared;

        private Input(Example example) {
            this.example = example;
            Optional<List<PromptUnit>> cached = cache.prompt(example);
            if (cached.isEmpty()) {
                prepared = prepare(example);
                cache.put(example, prepared.prompt().units());
            }
            units = cached.orElseGet(() -> prepared.prompt().units());
        }

        Example example() {
            return example;
        }

        List<PromptUnit> units() {
            return units;
        }

        /**
         * Encodes an image.
         *
         * @param unit index of the image in the prompt
         * @return owned by the caller
         */
        ImageEmbedding encode(int unit) {
            if (prepared == null) {
                prepared = prepare(example);
            }
            ImageEmbedding embedding = vision.encode(prepared.images().get(unit));
            if (!FiniteNumbers.areFinite(embedding.data())) {
                embedding.close();
                throw new FeedException.Unusable(
                        example,
                        "the projector computes numbers for its pictures that are not"
                                + " finite, with llama.cpp's kernels.",
                        null);
            }
            return embedding;
        }

        @Override
        public void close() {
            if (prepared != null) {
                prepared.close();
            }
        }
    }

    private PromptBuilder.Prepared prepare(Example example) {
        ObjectNode chat = JSON.createObjectNode();
        ArrayNode content =
                chat.putArray("messages").addObject().put("role", "user").putArray("content");
        example.images().forEach(image -> content.addObject().put("type", "media_marker"));
        content.addObject().put("type", "text").put("text", example.question());
        try {
            open();
            return builder.build(PromptRequest.of(chat.toString(), ExampleImages.read(example)));
        } catch (PromptException | IllegalArgumentException e) {
            throw new FeedException.Unusable(example, e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        if (templates != null) {
            templates.close();
        }
        if (vision != null) {
            vision.close();
        }
    }
}
