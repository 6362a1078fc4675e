package example;

import dev.langchain4j.data.image.Image;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.util.Base64;

/** Pictures in, descriptions out. */
@Path("/descriptions")
public class DescriptionResource {

    private final Viewer viewer;

    DescriptionResource(Viewer viewer) {
        this.viewer = viewer;
    }

    @POST
    @Consumes("image/png")
    @Produces(MediaType.TEXT_PLAIN)
    public String describe(byte[] png) {
        return viewer.describe(Image.builder()
                .base64Data(Base64.getEncoder().encodeToString(png))
                .mimeType("image/png")
                .build());
    }
}
