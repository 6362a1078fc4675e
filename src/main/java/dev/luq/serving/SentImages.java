package dev.luq.serving;

import dev.luq.protocol.ServerFrame;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The images whose pixels a worker's process keeps: those of requests that were written to it and that it has not
 * accepted yet. Their pixels cross the pipe once, for all choices of an answer. One thread writes requests; all others
 * may end them.
 */
final class SentImages {

    /** SHA-256 of an image to the ids of the requests that need its pixels. */
    private final Map<String, Set<String>> needed = new HashMap<>();

    /**
     * The request is written next.
     *
     * @return what to write: the request without the pixels that the process has
     */
    synchronized ServerFrame.OfRequest written(ServerFrame.OfRequest request) {
        List<ServerFrame.Image> images = new ArrayList<>();
        for (ServerFrame.Image image : request.images()) {
            Set<String> requests = needed.get(image.sha256());
            images.add(requests == null ? image : image.withoutPixels());
            needed.computeIfAbsent(image.sha256(), sha256 -> new HashSet<>()).add(request.id());
        }
        return request.with(images);
    }

    /**
     * The process has made tokens of the request, or it has ended.
     *
     * @return what to tell the process, unless {@link #isNeeded} again when that is written
     */
    synchronized List<ServerFrame.ForgetImage> prepared(String id) {
        List<ServerFrame.ForgetImage> forget = new ArrayList<>();
        needed.forEach((sha256, requests) -> {
            if (requests.remove(id) && requests.isEmpty()) {
                forget.add(new ServerFrame.ForgetImage(sha256));
            }
        });
        forget.forEach(image -> needed.remove(image.sha256()));
        return forget;
    }

    /** Whether a request that was written needs the pixels. */
    synchronized boolean isNeeded(String sha256) {
        return needed.containsKey(sha256);
    }
}
