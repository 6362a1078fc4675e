package dev.luq.http;

import com.fasterxml.jackson.databind.ObjectMapper;
import jakarta.inject.Inject;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.MultivaluedMap;
import jakarta.ws.rs.ext.Provider;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.annotation.Annotation;
import java.lang.reflect.Type;
import java.nio.charset.StandardCharsets;
import org.jboss.resteasy.reactive.server.spi.ServerMessageBodyWriter;
import org.jboss.resteasy.reactive.server.spi.ServerRequestContext;

/**
 * Writes answers as JSON; a text is JSON already. The response is given all its bytes at once: the framework's output
 * stream holds a thread until the client has read all but the last of them, and over HTTP/2 closes the whole connection
 * when the client resets the stream before the last write, where {@link StreamFailures} sees nothing of it.
 */
@Provider
@Produces(MediaType.APPLICATION_JSON)
public final class JsonWriter extends ServerMessageBodyWriter.AllWriteableMessageBodyWriter {

    private final ObjectMapper mapper;

    @Inject
    public JsonWriter(ObjectMapper mapper) {
        this.mapper = mapper;
    }

    @Override
    public void writeResponse(Object entity, Type genericType, ServerRequestContext context) throws IOException {
        context.serverResponse().end(json(entity));
    }

    @Override
    public void writeTo(
            Object entity,
            Class<?> type,
            Type genericType,
            Annotation[] annotations,
            MediaType mediaType,
            MultivaluedMap<String, Object> headers,
            OutputStream out)
            throws IOException {
        out.write(json(entity));
    }

    private byte[] json(Object entity) throws IOException {
        return entity instanceof String text ? text.getBytes(StandardCharsets.UTF_8) : mapper.writeValueAsBytes(entity);
    }
}
