package dev.luq.http.access;

import dev.luq.http.errors.RequestId;
import io.quarkus.security.identity.SecurityIdentity;
import io.quarkus.security.spi.runtime.AuthorizationFailureEvent;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import org.jboss.logging.Logger;

/**
 * One line for each administrative act, under the log category {@code dev.luq.audit}:
 * <pre>
 * key=NAME act=ACT object="OBJECT" outcome=OUTCOME request=ID
 * </pre>
 * Whatever a client may choose of it is escaped and bounded, so that one line is always one act. Thread-safe.
 */
@Singleton
public final class AuditLog {

    private static final Logger LOG = Logger.getLogger("dev.luq.audit");
    private static final int LONGEST_OBJECT = 256;
    private static final String OBJECT = "luq.audit-object";

    AuditLog() {}

    /** Says what the act of this request is done to, or more of it than its path says. */
    public static void object(RoutingContext routing, String object) {
        routing.put(OBJECT, object);
    }

    /** What {@link #object} said; null when nothing was. */
    public static String object(RoutingContext routing) {
        return routing.get(OBJECT);
    }

    /**
     * Writes the line of an act.
     *
     * @param act a word of ours
     * @param object what it was done to; null when unknown
     * @param outcome a word of ours, such as {@code done} or the code of an error
     */
    public static void write(Caller caller, String act, String object, String outcome, String requestId) {
        LOG.infof(
                "key=%s act=%s object=%s outcome=%s request=%s",
                caller.name(), act, quoted(object), outcome, requestId);
    }

    /** A key without the role of an administrator was refused. */
    void refused(@Observes AuthorizationFailureEvent event) {
        SecurityIdentity identity = event.getSecurityIdentity();
        Object routing = event.getEventProperties().get(RoutingContext.class.getName());
        if (identity != null
                && routing instanceof RoutingContext request
                && identity.getAttribute(Caller.ATTRIBUTE) instanceof Caller caller) {
            write(
                    caller,
                    request.request().method().name(),
                    request.request().path(),
                    "insufficient_permissions",
                    RequestId.of(request));
        }
    }

    static String quoted(String text) {
        if (text == null) {
            return "-";
        }
        StringBuilder quoted = new StringBuilder("\"");
        for (int i = 0; i < Math.min(text.length(), LONGEST_OBJECT); i++) {
            char c = text.charAt(i);
            if (c < ' ' || c > '~' || c == '"' || c == '\\') {
                quoted.append(String.format("\\u%04x", (int) c));
            } else {
                quoted.append(c);
            }
        }
        return quoted.append(text.length() > LONGEST_OBJECT ? "...\"" : "\"").toString();
    }
}
