package dev.luq.openai.images;

import dev.luq.http.errors.ApiException.InvalidImage;
import dev.luq.http.errors.ApiException.InvalidImage.Fault;
import dev.luq.http.intake.IntakeBudget;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.vertx.core.AsyncResult;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;

/**
 * One request over HTTP for a picture, from its connection to its last byte. What was received is charged as it comes,
 * whatever was announced. Filled by an event loop, read and abandoned by the thread that waits.
 */
final class Download {

    private static final int OK = 200;
    private static final int FIRST_REDIRECT = 300;
    private static final int FIRST_ERROR = 400;
    /** A byte lies in what was received, which grows by doubling, and then in the picture's array. */
    private static final int BYTES_PER_BYTE = 3;

    private final IntakeBudget.Share share;
    private final int maxBytes;
    private final String param;
    private final CompletableFuture<Void> done = new CompletableFuture<>();

    // guarded by this
    private HttpClientRequest request;
    private boolean over;
    private long charged;
    private Buffer received = Buffer.buffer();

    private volatile int status;
    private volatile String location;

    /**
     * @param share grows by what is received
     * @param param the request's field, for messages
     */
    Download(IntakeBudget.Share share, int maxBytes, String param) {
        this.share = share;
        this.maxBytes = maxBytes;
        this.param = param;
    }

    /** Complete with the last byte, or with the head of a redirect. */
    Future<Void> done() {
        return done;
    }

    int status() {
        return status;
    }

    /** Where a redirect leads, or null. */
    String location() {
        return location;
    }

    synchronized boolean isConnected() {
        return request != null;
    }

    synchronized void connected(AsyncResult<HttpClientRequest> connection) {
        if (connection.failed()) {
            done.completeExceptionally(connection.cause());
            return;
        }
        request = connection.result();
        if (over) {
            request.reset();
            return;
        }
        request.exceptionHandler(failure -> fail(interrupted()));
        request.send().onComplete(response -> {
            if (response.failed()) {
                fail(interrupted());
            } else {
                answered(response.result());
            }
        });
    }

    private synchronized void answered(HttpClientResponse response) {
        if (over) {
            return;
        }
        status = response.statusCode();
        location = response.getHeader(HttpHeaderNames.LOCATION);
        if (status >= FIRST_REDIRECT && status < FIRST_ERROR) {
            end(null);
        } else if (status != OK) {
            fail(refused(Fault.INVALID_IMAGE_URL, "The image's host answers with status " + status));
        } else if (!isPlain(response.getHeader(HttpHeaderNames.CONTENT_ENCODING))) {
            fail(refused(Fault.INVALID_IMAGE_URL, "The image's host sends it compressed, which was not asked for"));
        } else if (isTooLong(response.getHeader(HttpHeaderNames.CONTENT_LENGTH))) {
            fail(tooLarge());
        } else {
            response.handler(this::take);
            response.exceptionHandler(failure -> fail(interrupted()));
            response.endHandler(last -> end(null));
        }
    }

    private static boolean isPlain(String encoding) {
        return encoding == null || encoding.equalsIgnoreCase("identity");
    }

    /** What is announced is believed only where it says that it is of no use to begin. */
    private boolean isTooLong(String length) {
        return length != null && length.matches("\\d{1,18}") && Long.parseLong(length) > maxBytes;
    }

    private synchronized void take(Buffer bytes) {
        if (over) {
            return;
        }
        if (received.length() + (long) bytes.length() > maxBytes) {
            fail(tooLarge());
            return;
        }
        try {
            long charge = BYTES_PER_BYTE * (long) bytes.length();
            share.grow(charge);
            charged += charge;
        } catch (RuntimeException noRoom) {
            fail(noRoom);
            return;
        }
        received.appendBuffer(bytes);
    }

    private synchronized void fail(RuntimeException failure) {
        end(failure);
    }

    /** @param failure null for none */
    private void end(RuntimeException failure) {
        if (over) {
            return;
        }
        over = true;
        // the connection is for one request, whether its answer has an end or not
        request.reset();
        if (failure == null) {
            done.complete(null);
        } else {
            done.completeExceptionally(failure);
        }
    }

    /**
     * @return the picture's file, for which the share stays charged
     * @throws InvalidImage if there are none
     */
    synchronized byte[] bytes() {
        byte[] bytes = received.getBytes();
        received = Buffer.buffer();
        share.shrink(charged - bytes.length);
        charged = 0;
        if (bytes.length == 0) {
            throw refused(Fault.INVALID_IMAGE, "The image has no bytes");
        }
        return bytes;
    }

    /** Ends it, and gives back what it was charged. */
    synchronized void abandon() {
        over = true;
        if (request != null) {
            request.reset();
        }
        received = Buffer.buffer();
        share.shrink(charged);
        charged = 0;
    }

    private InvalidImage tooLarge() {
        return refused(Fault.IMAGE_TOO_LARGE, "The image at this URL is larger than " + maxBytes + " bytes");
    }

    private InvalidImage interrupted() {
        return refused(Fault.INVALID_IMAGE_URL, "The connection to the image's host ended before the image was there");
    }

    private InvalidImage refused(Fault fault, String message) {
        return new InvalidImage(fault, param, message);
    }
}
