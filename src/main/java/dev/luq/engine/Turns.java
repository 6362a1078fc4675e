package dev.luq.engine;

import java.util.function.BooleanSupplier;

/**
 * Lets steps and the encoding of images compute in turns where there are not enough processors for both: two teams of
 * threads on the same cores wait for each other at every barrier. A step waits for the end of the encoder's turn, which
 * lasts as long as the step before took, and to the end of the piece that is computed then; so each has half of the time
 * while both have work, and all of it otherwise. With an encoding beside it a stream's next token takes at most twice as
 * long, and a piece.
 *
 * <p>One thread decodes, one encodes. INVARIANT: no step is computed while the encoder's turn lasts.
 */
final class Turns {

    private static final System.Logger LOG = System.getLogger(Turns.class.getName());

    private final boolean needed;

    // all below guarded by this
    private boolean stepping;
    private boolean stepWaits;
    /** How long the latest step took, in nanoseconds. */
    private long stepNanos;

    private boolean encoding;
    private boolean encoderWaits;
    private long encoderBegan;

    /** @param needed false where there are processors for both: nobody waits then */
    Turns(boolean needed) {
        this.needed = needed;
    }

    /** Computes a step when it is its turn. */
    void step(Runnable compute) {
        if (!needed) {
            compute.run();
            return;
        }
        long began = beginStep();
        try {
            compute.run();
        } finally {
            endStep(began);
        }
    }

    private synchronized long beginStep() {
        stepWaits = true;
        while (encoding) {
            awaitChange();
        }
        stepWaits = false;
        stepping = true;
        return System.nanoTime();
    }

    private synchronized void endStep(long began) {
        stepping = false;
        stepNanos = System.nanoTime() - began;
        if (encoderWaits) {
            beginEncodersTurn();
        }
        notifyAll();
    }

    /**
     * Before an image is encoded.
     *
     * @param goesOn see {@link #piece}
     */
    synchronized void beginEncoding(BooleanSupplier goesOn) {
        if (needed) {
            awaitTurn(goesOn);
        }
    }

    /**
     * After each piece of an image. Returns when the next one may be computed.
     *
     * @param goesOn whether that is still wanted; where it is not any more, {@link #wake} makes this return at once
     */
    synchronized void piece(BooleanSupplier goesOn) {
        if (needed && stepWaits && System.nanoTime() - encoderBegan >= stepNanos) {
            encoding = false;
            notifyAll();
            awaitTurn(goesOn);
        }
    }

    /** After an image was encoded, or was not. */
    synchronized void endEncoding() {
        encoding = false;
        notifyAll();
    }

    /** Has a thread that waits look again whether its encoding goes on. */
    synchronized void wake() {
        notifyAll();
    }

    private void awaitTurn(BooleanSupplier goesOn) {
        encoderWaits = true;
        while (encoderWaits && goesOn.getAsBoolean()) {
            if (stepping || stepWaits) {
                awaitChange();
            } else {
                beginEncodersTurn();
            }
        }
        encoderWaits = false;
    }

    private void beginEncodersTurn() {
        encoderWaits = false;
        encoding = true;
        encoderBegan = System.nanoTime();
    }

    @SuppressWarnings("WaitNotInLoop") // its callers look again
    private void awaitChange() {
        try {
            wait();
        } catch (InterruptedException e) {
            LOG.log(System.Logger.Level.DEBUG, "Interrupts do not stop the engine, close does");
        }
    }
}
