/**
 * Apache Parquet files, read row by row as JSON. {@link dev.luq.parquet.ParquetFile} holds one page of each column in
 * memory at a time; parquet-column decodes, and there is no Hadoop and no native code behind it.
 */
package dev.luq.parquet;
