package example;

import dev.langchain4j.data.image.Image;
import dev.langchain4j.service.UserMessage;
import io.quarkiverse.langchain4j.RegisterAiService;

/** Asks the model about pictures. */
@RegisterAiService
public interface Viewer {

    @UserMessage("Describe the image.")
    String describe(Image picture);

    @UserMessage("{question}")
    String answer(Image picture, String question);

    /** What is counted comes back as an object: its JSON schema goes with the request. */
    @UserMessage("How many {shapes} are there?")
    Count count(Image picture, String shapes);

    record Count(int number) {}
}
