package dev.luq.prompt;

import dev.luq.llama.Model;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The tokens of a query and a document as a reranker reads them: in the template of its file, where it has one, else
 * between the tokens that begin, separate and end texts. As {@code format_prompt_rerank} of llama-server has it, but for
 * special tokens that users write, which stay text.
 */
final class RankedPairs {

    private static final Pattern PLACE = Pattern.compile("\\{(query|document)}");

    private final Model model;
    private final Tokenizer tokenizer;
    private final SpecialTokenGuard guard;
    private final Optional<String> template;

    RankedPairs(Model model, Tokenizer tokenizer, SpecialTokenGuard guard) {
        this.model = model;
        this.tokenizer = tokenizer;
        this.guard = guard;
        this.template = model.rerankTemplate();
    }

    /**
     * @param most a text of more tokens is refused before all of it is tokenized
     * @throws PromptException.ContextLengthExceeded one of them has more
     */
    int[] tokens(PromptContent.Piece.Pair pair, int most) {
        return template.map(text -> inTemplate(text, pair, most)).orElseGet(() -> model.vocabulary()
                .pair(tokens(pair.query(), false, most), tokens(pair.document(), false, most)));
    }

    private int[] inTemplate(String text, PromptContent.Piece.Pair pair, int most) {
        String breakMark = SpecialTokenGuard.nonce();
        StringBuilder prompt = new StringBuilder();
        Matcher places = PLACE.matcher(text);
        int from = 0;
        while (places.find()) {
            String following = text.substring(places.end());
            String written = places.group(1).equals("query") ? pair.query() : pair.document();
            prompt.append(text, from, places.start()).append(guard.guard(written, following, breakMark));
            from = places.end();
        }
        prompt.append(text, from, text.length());
        List<int[]> runs = new ArrayList<>();
        for (String piece : prompt.toString().split(breakMark)) {
            runs.add(tokens(piece, true, most));
        }
        return joined(runs);
    }

    private int[] tokens(String text, boolean parseSpecial, int most) {
        List<int[]> runs = new ArrayList<>();
        int count = 0;
        for (String piece : Tokenizer.split(text)) {
            runs.add(tokenizer.tokens(piece, false, parseSpecial));
            count += runs.get(runs.size() - 1).length;
            if (count > most) {
                throw PromptException.atLeast(count, most);
            }
        }
        return joined(runs);
    }

    private static int[] joined(List<int[]> runs) {
        return runs.stream().flatMapToInt(Arrays::stream).toArray();
    }
}
