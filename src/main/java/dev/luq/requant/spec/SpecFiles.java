package dev.luq.requant.spec;

import com.fasterxml.jackson.databind.exc.ValueInstantiationException;
import dev.luq.files.DamagedFileException;
import dev.luq.files.JsonFile;
import dev.luq.requant.plan.PlanException;
import java.nio.file.Path;
import java.util.Optional;

/** Reads the files of a job's folder. */
final class SpecFiles {

    private SpecFiles() {}

    /**
     * @return empty when there is no such file
     * @throws SpecException when it is damaged, or says what cannot be meant
     */
    static <T> Optional<T> read(Path file, Class<T> type) {
        try {
            return JsonFile.read(file, type);
        } catch (DamagedFileException e) {
            Throwable refusal = e.getCause() instanceof ValueInstantiationException value ? value.getCause() : null;
            if (refusal instanceof SpecException known) {
                throw known;
            }
            throw refusal instanceof PlanException known
                    ? new SpecException.Invalid(known.getMessage())
                    : new SpecException.Unreadable(e.getMessage(), e);
        }
    }
}
