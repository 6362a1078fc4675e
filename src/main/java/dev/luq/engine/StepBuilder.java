package dev.luq.engine;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Fills one batch: a token of every request in decode, then prefill, whose prompts share the rest evenly, then drafts.
 *
 * @param draftTokens that a step drafts at most
 * @param wholePrompts whether a prompt is evaluated in one step, and nothing is generated after it
 */
record StepBuilder(KvCache cache, int batchSize, int draftTokens, boolean wholePrompts) {

    /**
     * @param running fewer requests than the batch has tokens, the oldest first
     * @param spare cells that the requests may take beyond their reservations
     */
    Step build(List<Request> running, int spare) {
        if (wholePrompts) {
            return whole(running);
        }
        Step step = build(running);
        if (draftTokens > 0) {
            addDrafts(step, running, spare);
        }
        return step;
    }

    private Step whole(List<Request> running) {
        List<Step.TokenRun> runs = new ArrayList<>();
        int room = batchSize;
        for (Request r : running) {
            int tokens = r.prompt.tokens();
            if (tokens > room) {
                break;
            }
            runs.add(r.textRun(tokens, cache.position(r.sequence)));
            room -= tokens;
        }
        return new Step(runs, null);
    }

    /** Drafts take free cells alone: what is cached is worth more. */
    private void addDrafts(Step step, List<Request> running, int spare) {
        List<Request> decoding =
                running.stream().filter(r -> r.status == Request.Status.DECODE).toList();
        int share = decoding.isEmpty() ? 0 : draftTokens / decoding.size();
        int room = Math.min(batchSize, cache.capacity() - cache.used()) - step.cells();
        int left = spare;
        for (int i = 0; i < decoding.size() && share > 0 && room > 0; i++) {
            Request r = decoding.get(i);
            int reserved = Math.max(0, r.reserved - cache.cells(r.sequence) - 1);
            int[] draft = r.draft(Math.min(Math.min(share, room), reserved + left));
            if (draft.length > 0) {
                step.tokens().set(i, r.decodeRun(cache.position(r.sequence), draft));
                room -= draft.length;
                left -= Math.max(0, draft.length - reserved);
            }
        }
    }

    private Step build(List<Request> running) {
        List<Step.TokenRun> runs = new ArrayList<>();
        for (Request r : running) {
            if (r.status == Request.Status.DECODE) {
                runs.add(r.decodeRun(cache.position(r.sequence), new int[0]));
            }
        }
        if (runs.size() == running.size()) {
            return new Step(runs, null);
        }
        int budget = batchSize - runs.size();
        Request withImage = running.stream()
                .filter(Request::imageIsReady)
                .min(Comparator.comparingLong(r -> r.lastImageStep))
                .orElse(null);
        Step.ImageSlice image = null;
        if (withImage != null && !withImage.image().divisible()) {
            image = slice(withImage, withImage.image().cells());
            budget -= image.count();
        }
        List<Request> prompts = new ArrayList<>(running);
        prompts.removeIf(r -> r.decodable(1) == 0
                || r.imageIsReady() && (r != withImage || !r.image().divisible()));
        // The smallest first: what they leave of their share is left for the others.
        prompts.sort(Comparator.comparingInt(r -> r.decodable(batchSize)));
        int left = prompts.size();
        for (Request r : prompts) {
            int count = r.decodable((budget + left - 1) / left--);
            budget -= count;
            if (r == withImage) {
                image = slice(r, count);
            } else if (count > 0) {
                runs.add(r.textRun(count, cache.position(r.sequence)));
            }
        }
        return new Step(runs, image);
    }

    private Step.ImageSlice slice(Request r, int count) {
        return r.imageSlice(count, cache.position(r.sequence));
    }
}
