package dev.luq.engine;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Fills one batch: a token of every request in decode, then prefill, whose prompts share the rest evenly. */
record StepBuilder(KvCache cache, int batchSize) {

    /** @param running fewer requests than the batch has tokens, the oldest first */
    Step build(List<Request> running) {
        List<Step.TokenRun> runs = new ArrayList<>();
        for (Request r : running) {
            if (r.status == Request.Status.DECODE) {
                runs.add(new Step.TokenRun(r.id, r.sequence, cache.position(r.sequence), new int[] {r.token}, true));
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
