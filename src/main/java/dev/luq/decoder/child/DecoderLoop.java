package dev.luq.decoder.child;

import dev.luq.decoder.protocol.DecodeReply;
import dev.luq.decoder.protocol.DecodeRequest;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.util.concurrent.SynchronousQueue;
import java.util.function.Function;
import sun.misc.Signal;
import sun.misc.SignalHandler;

/**
 * A decoder process: requests in on standard input, replies out on standard output, log lines on standard error. It ends
 * with its input, in the middle of a picture too. Signals that reach a whole process group, such as a terminal's Ctrl-C,
 * are ignored: requests that run may have pictures yet.
 */
final class DecoderLoop {

    /** Exit code when the server closed the input. */
    static final int EXIT_ASKED = 0;
    /** Exit code when the server does not speak the protocol or reads no more. */
    static final int EXIT_SERVER_LOST = 4;
    /** Exit code after a defect of ours. */
    static final int EXIT_DEFECT = 5;

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
        DataOutputStream replies = new DataOutputStream(
                new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), PIPE_BYTES));
        // A stray print would be taken for a reply.
        System.setOut(System.err);
        for (String name : new String[] {"INT", "TERM", "HUP"}) {
            Signal.handle(new Signal(name), SignalHandler.SIG_IGN);
        }
        DecoderLoop loop = new DecoderLoop(decoding);
        new Thread(() -> loop.decode(replies), "luq-decode").start();
        loop.read(new DataInputStream(new BufferedInputStream(new FileInputStream(FileDescriptor.in), PIPE_BYTES)));
    }

    /** On a thread of its own, so that it notices the end of the input while a picture is decoded. */
    private void read(DataInputStream requests) {
        try {
            for (DecodeRequest request = DecodeRequest.read(requests); request != null;
                    request = DecodeRequest.read(requests)) {
                next.put(request);
            }
            exit(EXIT_ASKED);
        } catch (IOException e) {
            exit(EXIT_SERVER_LOST);
        } catch (OutOfMemoryError e) {
            exit(DecodeReply.EXIT_OUT_OF_MEMORY);
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
            exit(DecodeReply.EXIT_OUT_OF_MEMORY);
        } catch (IOException e) {
            exit(EXIT_SERVER_LOST);
        } catch (InterruptedException | RuntimeException | Error e) {
            defect(e);
        }
    }

    private static void defect(Throwable defect) {
        System.err.println("ERROR Defect in a decoder");
        defect.printStackTrace();
        exit(EXIT_DEFECT);
    }

    /** Ends at once: a decoder cannot be asked to return. */
    private static void exit(int code) {
        Runtime.getRuntime().halt(code);
    }
}
