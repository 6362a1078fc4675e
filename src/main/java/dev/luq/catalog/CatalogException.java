package dev.luq.catalog;

/** Why a model or the catalogue cannot be used or changed. Only {@link Misconfigured} may name paths. */
public abstract sealed class CatalogException extends RuntimeException {

    private CatalogException(String message, Throwable cause) {
        super(message, cause);
    }

    /** The configuration contradicts itself; the server does not start. For operators: may name paths. */
    public static final class Misconfigured extends CatalogException {
        Misconfigured(String message) {
            super(message, null);
        }
    }

    /** The files of one model are missing or wrong; other models are served. */
    public static final class InvalidModel extends CatalogException {
        public InvalidModel(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** There is no such model or variant. */
    public static final class NotFound extends CatalogException {
        public NotFound(String message) {
            super(message, null);
        }
    }

    /** The change contradicts what is there, such as a name that is taken. */
    public static final class Conflict extends CatalogException {
        Conflict(String message) {
            super(message, null);
        }
    }

    /** The change could not be written; nothing was changed, but for what {@link Catalog#activate} says. */
    public static final class NotSaved extends CatalogException {
        NotSaved(Throwable cause) {
            super("The change could not be written to the data folder; the server's log says why.", cause);
        }
    }
}
