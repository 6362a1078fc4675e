package dev.luq.http;

import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.luq.http.errors.ApiException;
import io.netty.buffer.ByteBuf;
import io.vertx.ext.web.RoutingContext;
import jakarta.inject.Inject;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.MultivaluedMap;
import jakarta.ws.rs.ext.Provider;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.lang.annotation.Annotation;
import java.lang.reflect.Type;
import java.nio.charset.StandardCharsets;
import org.jboss.resteasy.reactive.server.core.ResteasyReactiveRequestContext;
import org.jboss.resteasy.reactive.server.spi.ServerMessageBodyWriter;
import org.jboss.resteasy.reactive.server.spi.ServerRequestContext;

/**
 * Writes answers as JSON, counted by their {@link AnswerShare}; a text is written as it is. The response is given all its
 * bytes at once: the framework's output stream holds a thread until the client has read all but the last of them, and over
 * HTTP/2 closes the whole connection when the client resets the stream before the last write, where {@link StreamFailures}
 * sees nothing of it.
 */
@Provider
@Produces({MediaType.APPLICATION_JSON, OpenApiResource.YAML})
public final class JsonWriter extends ServerMessageBodyWriter.AllWriteableMessageBodyWriter {

    private final ObjectMapper mapper;

    @Inject
    public JsonWriter(ObjectMapper mapper) {
        this.mapper = mapper;
    }

    /** @throws ApiException if there is no memory for the answer */
    @Override
    public void writeResponse(Object entity, Type genericType, ServerRequestContext context) throws IOException {
        RoutingContext routing =
                ((ResteasyReactiveRequestContext) context).serverRequest().unwrap(RoutingContext.class);
        AnswerShare share = AnswerShare.of(routing);
        share.send(json(entity, share), routing.response());
    }

    private ByteBuf json(Object entity, AnswerShare share) throws IOException {
        JsonBuffer json = new JsonBuffer(share);
        boolean whole = false;
        try {
            write(entity, json);
            whole = true;
            return json.take();
        } catch (JsonMappingException e) {
            // Jackson adds where in the answer that was.
            if (e.getCause() instanceof ApiException refused) {
                throw refused;
            }
            throw e;
        } finally {
            if (!whole) {
                json.discard();
            }
        }
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
        write(entity, out);
    }

    private void write(Object entity, OutputStream out) throws IOException {
        if (entity instanceof String text) {
            Writer writer = new OutputStreamWriter(out, StandardCharsets.UTF_8);
            writer.write(text);
            writer.flush();
        } else {
            mapper.writeValue(out, entity);
        }
    }
}
