package dev.luq.cli;

import java.io.File;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What stands on the command line of {@code luq chat}: pictures, then the question.
 *
 * @param pictures files that exist
 * @param question empty only in a conversation, whose questions are typed
 */
record ChatArguments(List<Path> pictures, Optional<String> question) {

    /**
     * @param conversation whether the first question may be left out
     * @throws CliException when a picture does not exist or the question is missing
     */
    static ChatArguments of(List<String> arguments, boolean conversation) {
        List<String> names = new ArrayList<>(arguments);
        Optional<String> question = Optional.empty();
        if (!names.isEmpty() && !isFile(names.get(names.size() - 1))) {
            question = Optional.of(names.remove(names.size() - 1));
        }
        for (String name : names) {
            if (!isFile(name)) {
                throw new CliException("There is no picture " + name
                        + ": name files that exist, then the question as one argument in quotes.");
            }
        }
        if (question.isPresent() ? question.get().isBlank() : !conversation) {
            throw new CliException(
                    names.isEmpty()
                            ? "There is no question: luq chat \"QUESTION\", with pictures before it"
                                    + " if it is about some."
                            : names.get(names.size() - 1) + " is a picture: ask a question about it, luq" + " chat "
                                    + String.join(" ", names) + " \"QUESTION\", or add --interactive.");
        }
        return new ChatArguments(names.stream().map(Path::of).toList(), question);
    }

    /** Questions need not be valid paths. */
    private static boolean isFile(String argument) {
        return new File(argument).isFile();
    }
}
