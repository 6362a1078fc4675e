package dev.luq.catalog;

import dev.luq.gguf.ModelFiles;
import dev.luq.protocol.ModelDefaults;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.regex.Pattern;

/**
 * What the configuration says of models.
 *
 * @param defaultId id of the default model
 */
record ConfiguredModels(List<Model> models, String defaultId) {

    /** In bytes. The templates of models in use have up to 20,000. */
    private static final int LONGEST_TEMPLATE = 1 << 20;

    private static final Pattern TEMPLATE_NAME = Pattern.compile("[a-z0-9._-]{1,64}");

    /** One model. */
    record Model(
            String id,
            Path model,
            Optional<Path> mmproj,
            List<String> aliases,
            boolean isDefault,
            ModelSettings settings) {}

    /** @throws CatalogException.Misconfigured when two models share a name or both are the default */
    static ConfiguredModels of(CatalogConfig config) {
        List<Model> models = new ArrayList<>();
        config.models()
                .forEach((id, model) -> models.add(new Model(
                        id,
                        model.model(),
                        model.mmproj(),
                        model.aliases().orElse(List.of()),
                        model.isDefault(),
                        settings(id, model))));
        boolean hasDefault = models.stream().anyMatch(Model::isDefault);
        config.model()
                .ifPresent(path -> models.add(new Model(
                        config.modelId().orElseGet(() -> ModelFiles.nameOf(path)),
                        path,
                        config.mmproj(),
                        List.of(),
                        !hasDefault,
                        ModelSettings.NONE)));
        if (models.isEmpty()) {
            DemoModel demo = new DemoModel(config.demoDir());
            models.add(new Model(
                    DemoModel.ID, demo.model(), Optional.of(demo.mmproj()), List.of(), true, ModelSettings.NONE));
        }
        models.sort(Comparator.comparing((Model model) -> !model.isDefault).thenComparing(Model::id));
        if (models.size() > 1 && models.get(1).isDefault) {
            throw new CatalogException.Misconfigured("Both " + models.get(0).id + " and " + models.get(1).id
                    + " are configured as the default model; keep one luq.models.\"id\".default=true");
        }
        requireNames(models);
        return new ConfiguredModels(models, models.get(0).id);
    }

    private static ModelSettings settings(String id, CatalogConfig.Model model) {
        CatalogConfig.Defaults given = model.defaults();
        Bounds bounds = new Bounds("luq.models.\"" + id + "\".");
        return new ModelSettings(
                model.load(),
                model.pinned(),
                model.keepAlive(),
                model.kernels(),
                model.kvCacheType(),
                bounds.atLeast("context-size", model.contextSize(), 0),
                bounds.atLeast("slot-context-size", model.slotContextSize(), 0),
                bounds.atLeast("slots", model.slots(), 1),
                bounds.atLeast("image-max-tokens", model.imageMaxTokens(), 0),
                model.pooling(),
                chatTemplate("luq.models.\"" + id + "\".chat-template", model),
                model.tags().orElse(List.of()),
                new ModelDefaults(
                        bounds.between("defaults.temperature", given.temperature(), 0, 2),
                        bounds.between("defaults.top-p", given.topP(), 0, 1),
                        boxed(bounds.atLeast("defaults.top-k", given.topK(), 0)),
                        bounds.between("defaults.min-p", given.minP(), 0, 1),
                        bounds.between("defaults.repeat-penalty", given.repeatPenalty(), 0.1, 10),
                        boxed(bounds.atLeast("defaults.max-tokens", given.maxTokens(), 1)),
                        given.seed().orElse(-1) == -1
                                ? null
                                : (Long) given.seed().getAsLong(),
                        given.systemPrompt().orElse(null),
                        given.enableThinking().orElse(null)));
    }

    /** @param key of the template as text; that of its file begins so */
    private static Optional<String> chatTemplate(String key, CatalogConfig.Model model) {
        if (model.chatTemplateFile().isEmpty()) {
            model.chatTemplate().ifPresent(text -> requireTemplate(key, text));
            return model.chatTemplate();
        }
        if (model.chatTemplate().isPresent()) {
            throw new CatalogException.Misconfigured(key + " and " + key + "-file are both set; keep one");
        }
        Path file = model.chatTemplateFile().get();
        try (InputStream in = Files.newInputStream(file)) {
            byte[] template = in.readNBytes(LONGEST_TEMPLATE + 1);
            if (template.length > LONGEST_TEMPLATE) {
                throw new CatalogException.Misconfigured(
                        key + "-file: " + file + " has more than " + LONGEST_TEMPLATE + " bytes; is it a template?");
            }
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(template))
                    .toString();
            requireTemplate(key + "-file", text);
            return Optional.of(text);
        } catch (CharacterCodingException e) {
            throw new CatalogException.Misconfigured(key + "-file: " + file + " is no text in UTF-8");
        } catch (IOException e) {
            throw new CatalogException.Misconfigured(key + "-file: " + file + " cannot be read: " + e);
        }
    }

    /** Which names there are, the worker knows. Other text would be the whole prompt: Jinja prints what it does not run. */
    private static void requireTemplate(String key, String text) {
        if (!TEMPLATE_NAME.matcher(text).matches() && !text.contains("{{") && !text.contains("{%")) {
            throw new CatalogException.Misconfigured(key
                    + " is no Jinja template: give one, or the name of one that llama.cpp has, such as chatml or vicuna,"
                    + " or leave it out for the model's own");
        }
    }

    private static Integer boxed(OptionalInt value) {
        return value.isPresent() ? value.getAsInt() : null;
    }

    /**
     * Checks numbers of the configuration: a wrong one ends the start rather than every request.
     *
     * @param prefix of their keys
     */
    private record Bounds(String prefix) {

        OptionalInt atLeast(String key, OptionalInt value, int least) {
            if (value.isPresent() && value.getAsInt() < least) {
                throw new CatalogException.Misconfigured(prefix + key + " must be " + least + " or more");
            }
            return value;
        }

        /** @return null when there is none */
        Double between(String key, OptionalDouble value, double least, double most) {
            if (value.isEmpty()) {
                return null;
            }
            // Written so that NaN fails.
            if (!(value.getAsDouble() >= least && value.getAsDouble() <= most)) {
                throw new CatalogException.Misconfigured(prefix + key + " must be between " + least + " and " + most);
            }
            return value.getAsDouble();
        }
    }

    private static void requireNames(List<Model> models) {
        Map<String, String> owners = new HashMap<>();
        for (Model model : models) {
            List<String> names = new ArrayList<>(model.aliases);
            names.add(model.id);
            for (String name : names) {
                String other = owners.putIfAbsent(name, model.id);
                if (other != null) {
                    throw new CatalogException.Misconfigured("The name " + name + " is given to " + other + " and to "
                            + model.id + "; ids and aliases must differ");
                }
            }
        }
    }
}
