/**
 * Apache Parquet files, read row by row as JSON: {@link dev.luq.parquet.ParquetFile}. One page of each column is in
 * memory at a time. parquet-column decodes; there is no Hadoop and no native code behind it.
 */
package dev.luq.parquet;
