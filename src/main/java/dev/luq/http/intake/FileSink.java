package dev.luq.http.intake;

import io.smallrye.mutiny.subscription.UniEmitter;
import io.vertx.core.Context;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.file.AsyncFile;
import io.vertx.core.file.OpenOptions;
import java.io.IOException;
import java.nio.file.Path;

/** Writes a body to a file, no faster than the disk takes it. On the request's event loop. */
final class FileSink implements IncomingBody.Sink {

    private final Context context;
    private final Path path;
    private final UniEmitter<? super Void> whenDone;

    private IncomingBody incoming;
    private AsyncFile file;
    private Throwable diskFailure;

    /** @param whenDone told when the file is closed */
    FileSink(Context context, Path path, UniEmitter<? super Void> whenDone) {
        this.context = context;
        this.path = path;
        this.whenDone = whenDone;
    }

    /** Opens the file and begins to read the body. From any thread. */
    void open(IncomingBody from) {
        incoming = from;
        context.runOnContext(turn -> context.owner()
                .fileSystem()
                .open(path.toString(), new OpenOptions().setCreateNew(true).setRead(false))
                .onComplete(opened -> {
                    if (opened.failed()) {
                        whenDone.fail(ofDisk(opened.cause()));
                        return;
                    }
                    file = opened.result();
                    incoming.begin();
                }));
    }

    @Override
    public void take(Buffer bytes) {
        file.write(bytes).onFailure(failure -> {
            diskFailure = failure;
            incoming.fail(new IllegalStateException("the disk does not take the body"));
        });
        if (file.writeQueueFull()) {
            incoming.pause();
            file.drainHandler(drained -> incoming.resume());
        }
    }

    @Override
    public void complete() {
        close(null);
    }

    @Override
    public void failed(Throwable failure) {
        close(failure);
    }

    private void close(Throwable failure) {
        file.close().onComplete(closed -> {
            Throwable ofDisk = diskFailure != null ? diskFailure : closed.cause();
            if (ofDisk != null) {
                whenDone.fail(ofDisk(ofDisk));
            } else if (failure != null) {
                whenDone.fail(failure);
            } else {
                whenDone.complete(null);
            }
        });
    }

    private static IOException ofDisk(Throwable failure) {
        return failure.getCause() instanceof IOException cause ? cause : new IOException(failure);
    }
}
