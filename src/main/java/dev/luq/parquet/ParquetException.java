package dev.luq.parquet;

/** A file is no Parquet, is damaged, or has what is not read here. The message begins with the file's name. */
public final class ParquetException extends RuntimeException {

    ParquetException(String message, Throwable cause) {
        super(message, cause);
    }
}
