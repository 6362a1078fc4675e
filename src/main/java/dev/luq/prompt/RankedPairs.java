package dev.luq.prompt;

import dev.luq.llama.Model;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The tokens of a query and a document as a reranker reads them: in the template of its file, where it has one, else
 * between the tokens that begin, separate and end texts. As {@code format_prompt_rerank} of llama-server has it, but
 * special tokens that users write stay text.
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
     * @param most text of more tokens is refused before all of it is tokenized
     * @throws PromptException.ContextLengthExceeded the query, the document or both in the template have more
     */
    int[] tokens(PromptContent.Piece.Pair pair, int most) {
        return template.map(text -> tokens(inTemplate(text, pair), true, most)).orElseGet(() -> model.vocabulary()
                .pair(tokens(List.of(pair.query()), false, most), tokens(List.of(pair.document()), false, most)));
    }

    /** The template with both texts in it, split where the text of a special token begins in them. */
    private List<String> inTemplate(String text, PromptContent.Piece.Pair pair) {
        String breakMark = SpecialTokenGuard.nonce();
        StringBuilder prompt = new StringBuilder();
        Matcher places = PLACE.matcher(text);
        int from = 0;
        while (places.find()) {
            // What follows may be a part of a special token that begins in the text, also where another text follows.
            String following = PLACE.matcher(text.substring(places.end()))
                    .replaceAll(place -> Matcher.quoteReplacement(written(place, pair)));
            prompt.append(text, from, places.start()).append(guard.guard(written(places, pair), following, breakMark));
            from = places.end();
        }
        prompt.append(text, from, text.length());
        return List.of(prompt.toString().split(breakMark));
    }

    private static String written(MatchResult place, PromptContent.Piece.Pair pair) {
        return place.group(1).equals("query") ? pair.query() : pair.document();
    }

    private int[] tokens(List<String> texts, boolean parseSpecial, int most) {
        List<int[]> runs = new ArrayList<>();
        int count = 0;
        for (String text : texts) {
            for (String piece : Tokenizer.split(text)) {
                runs.add(tokenizer.tokens(piece, parseSpecial));
                count += runs.get(runs.size() - 1).length;
                if (count > most) {
                    throw PromptException.atLeast(count, most);
                }
            }
        }
        return joined(runs);
    }

    private static int[] joined(List<int[]> runs) {
        return runs.stream().flatMapToInt(Arrays::stream).toArray();
    }
}
