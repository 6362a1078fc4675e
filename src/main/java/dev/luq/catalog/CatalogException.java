package dev.luq.catalog;

/** Why a model or the catalogue cannot be used. */
public abstract sealed class CatalogException extends RuntimeException {

    private CatalogException(String message, Throwable cause) {
        super(message, cause);
    }

    /** The configuration contradicts itself; the server does not start. */
    public static final class Misconfigured extends CatalogException {
        Misconfigured(String message) {
            super(message, null);
        }
    }

    /** The files of one model are missing or wrong; other models are served. The message names no path. */
    public static final class InvalidModel extends CatalogException {
        InvalidModel(String message, Throwable cause) {
            super(message, cause);
        }
    }
}
