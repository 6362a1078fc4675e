package dev.luq.schema;

/** Why a schema is refused. The message is for the client and names the place and the keyword. */
public final class SchemaException extends RuntimeException {

    private final String path;
    private final boolean tooComplex;

    /**
     * @param path of the keyword at fault
     * @param tooComplex whether the schema is valid, but costs more than one may
     */
    SchemaException(String path, String message, boolean tooComplex) {
        super(message, null, false, false);
        this.path = path;
        this.tooComplex = tooComplex;
    }

    /** The keyword at fault with everything that leads to it. */
    public String path() {
        return path;
    }

    /** Whether the schema is valid, but costs more than one may. */
    public boolean tooComplex() {
        return tooComplex;
    }
}
