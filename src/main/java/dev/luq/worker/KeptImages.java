package dev.luq.worker;

import dev.luq.protocol.ServerFrame;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Pixels that stay for further choices of an answer, until the server says that none needs them. They are bounded with
 * those of the requests in flight, by the server. For the thread that reads frames.
 */
final class KeptImages {

    private final Map<String, ServerFrame.Image> kept = new HashMap<>();

    /**
     * Keeps the pixels of a request and gives it those that it came without.
     *
     * @throws IllegalArgumentException the server never sent them
     */
    ServerFrame.OfRequest whole(ServerFrame.OfRequest request) {
        List<ServerFrame.Image> whole = new ArrayList<>();
        for (ServerFrame.Image image : request.images()) {
            if (image.rgb() != null) {
                kept.put(image.sha256(), image);
            } else if (!kept.containsKey(image.sha256())) {
                throw new IllegalArgumentException("an image came without its pixels");
            }
            whole.add(kept.get(image.sha256()));
        }
        return request.with(whole);
    }

    void forget(ServerFrame.ForgetImage image) {
        kept.remove(image.sha256());
    }
}
