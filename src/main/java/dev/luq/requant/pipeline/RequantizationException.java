package dev.luq.requant.pipeline;

import dev.luq.files.DamagedFileException;
import dev.luq.gguf.GgufException;
import dev.luq.llama.LlamaException;
import dev.luq.requant.calibrate.CalibrationException;
import dev.luq.requant.data.DataException;
import dev.luq.requant.feed.FeedException;
import dev.luq.requant.measure.MeasureException;
import dev.luq.requant.plan.PlanException;
import dev.luq.requant.quantize.QuantizeException;
import dev.luq.requant.rank.RankException;
import dev.luq.requant.spec.SpecException;
import dev.luq.requant.speed.SpeedException;
import dev.luq.requant.store.StoreException;
import java.io.IOException;
import java.io.UncheckedIOException;

/** Why a job ended without a result. Messages are complete sentences for people and name no path. */
public abstract sealed class RequantizationException extends RuntimeException {

    private RequantizationException(String message, Throwable cause) {
        super(message, cause);
    }

    /** Somebody asked for it; what is done is kept, running the job again goes on from there. */
    public static final class Cancelled extends RequantizationException {
        public Cancelled() {
            super("The job was cancelled. Run it again and it goes on where it stopped.", null);
        }
    }

    /** The job cannot be done as it is described, or the machine would not let it. */
    public static final class Failed extends RequantizationException {
        public Failed(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** What another room threw, as a job says it. */
    static RequantizationException of(Exception e) {
        if (e instanceof RequantizationException job) {
            return job;
        }
        if (e instanceof QuantizeException.Cancelled || e instanceof MeasureException.Cancelled) {
            return new Cancelled();
        }
        boolean forPeople = e instanceof SpecException
                || e instanceof DamagedFileException
                || e instanceof GgufException
                || e instanceof PlanException
                || e instanceof DataException
                || e instanceof FeedException
                || e instanceof MeasureException
                || e instanceof CalibrationException
                || e instanceof QuantizeException
                || e instanceof StoreException
                || e instanceof RankException
                || e instanceof SpeedException
                || e instanceof LlamaException;
        if (forPeople) {
            return new Failed(e.getMessage(), e);
        }
        if (e instanceof IOException || e instanceof UncheckedIOException) {
            return new Failed(
                    "A file could not be read or written; check that it is there, that the disk has room and that"
                            + " the data folder may be written. Run the job again then, it goes on where it stopped.",
                    e);
        }
        return new Failed("The job failed through a defect of this program: " + e, e);
    }
}
