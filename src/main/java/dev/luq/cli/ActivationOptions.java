package dev.luq.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.catalog.ActiveVariants;
import dev.luq.catalog.CatalogException;
import dev.luq.files.DataFolder;
import java.net.URI;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Has a model served: by the running server at once, otherwise by the next one that starts. */
final class ActivationOptions {

    private static final String HERE = "http://127.0.0.1:8080";

    @Option(
            names = "--activate",
            description = "Serve the result: at once where a server runs, otherwise from its next start on.")
    private boolean activate;

    @Option(
            names = "--server",
            paramLabel = "URL",
            converter = ServerAddress.class,
            description = "Server for --activate, with its key in $LUQ_API_KEY (default: " + HERE + ").")
    private URI server;

    /** @throws CliException a server is named that nothing would be asked of */
    void requireUsed() {
        if (server != null && !activate) {
            throw new CliException("--server is whom --activate asks: add --activate, or leave --server out.");
        }
    }

    /** @throws CliException the server refuses, or the data folder cannot be written */
    void activate(DataFolder data, String modelId, String manifestId) {
        if (!activate) {
            return;
        }
        URI server = this.server == null ? URI.create(HERE) : this.server;
        CompletionClient client = CompletionClient.withKeyOf(server, "LUQ_API_KEY");
        if (client.answers("/q/health/live")) {
            ObjectNode request = CompletionClient.JSON
                    .createObjectNode()
                    .put("variant", manifestId)
                    .put("swap", "auto");
            client.post("/admin/v1/models/" + modelId + "/activation", request);
            System.out.println("active       now, at " + server);
        } else {
            try {
                ActiveVariants.set(data, modelId, Optional.of(manifestId));
            } catch (CatalogException e) {
                throw new CliException(e.getMessage(), e);
            }
            System.out.println("active       from the next start of a server with this data folder on");
        }
    }
}
