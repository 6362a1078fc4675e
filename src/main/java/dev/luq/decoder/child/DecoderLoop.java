package dev.luq.decoder.child;

import dev.luq.decoder.protocol.DecodeReply;
import dev.luq.decoder.protocol.DecodeRequest;
import dev.luq.process.ChildMain;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.util.concurrent.SynchronousQueue;
import java.util.function.Function;

/**
 * A decoder process: requests in on standard input, replies out on standard output, log lines on standard error. It ends
 * with its input, in the middle of a picture too.
 */
final class DecoderLoop {

    /** Where a machine runs out of memory, a picture is lost rather than the server. */
    private static final int OOM_SCORE = 500;

    private static final int PIPE_BYTES = 1 << 16;
    /** What a picture leaves behind beyond this goes back to the system before the next. */
    private static final long KEPT_BYTES = 48L << 20;

    private final Function<DecodeRequest, DecodeReply> decoding;
    private final SynchronousQueue<DecodeRequest> next = new SynchronousQueue<>();

    private DecoderLoop(Function<DecodeRequest, DecodeReply> decoding) {
        this.decoding = decoding;
    }

    /**
     * Runs a decoder in this process. Returns never; the process ends.
     *
     * @param decoding what is done with a request
     */
    static void run(Function<DecodeRequest, DecodeReply> decoding) {
        DataOutputStream replies = new DataOutputStream(new BufferedOutputStream(ChildMain.begin(), PIPE_BYTES));
        ChildMain.oomScore(OOM_SCORE);
        DecoderLoop loop = new DecoderLoop(decoding);
        new Thread(() -> loop.decode(replies), "luq-decode").start();
        loop.read(new DataInputStream(new BufferedInputStream(new FileInputStream(FileDescriptor.in), PIPE_BYTES)));
    }

    /** On a thread of its own, so that it notices the end of the input while a picture is decoded. */
    private void read(DataInputStream requests) {
        try {
            for (DecodeRequest request = DecodeRequest.read(requests);
                    request != null;
                    request = DecodeRequest.read(requests)) {
                next.put(request);
            }
            ChildMain.exit(ChildMain.EXIT_ASKED);
        } catch (IOException e) {
            ChildMain.exit(ChildMain.EXIT_SERVER_LOST);
        } catch (OutOfMemoryError e) {
            ChildMain.exit(DecodeReply.EXIT_OUT_OF_MEMORY);
        } catch (InterruptedException | RuntimeException | Error e) {
            defect(e);
        }
    }

    private void decode(DataOutputStream replies) {
        try {
            replies.write(DecodeReply.READY);
            replies.flush();
            while (true) {
                decoding.apply(next.take()).write(replies);
                if (Runtime.getRuntime().totalMemory() > KEPT_BYTES) {
                    System.gc();
                }
            }
        } catch (OutOfMemoryError e) {
            ChildMain.exit(DecodeReply.EXIT_OUT_OF_MEMORY);
        } catch (IOException e) {
            ChildMain.exit(ChildMain.EXIT_SERVER_LOST);
        } catch (InterruptedException | RuntimeException | Error e) {
            defect(e);
        }
    }

    private static void defect(Throwable defect) {
        System.err.println("ERROR Defect in a decoder");
        defect.printStackTrace();
        ChildMain.exit(ChildMain.EXIT_DEFECT);
    }
}
