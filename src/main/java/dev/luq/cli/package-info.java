/**
 * The commands behind the launcher {@code luq} that talk to a running server or measure it: {@code chat}, the Java half
 * of {@code doctor}, and {@code bench}. They run in a JVM of their own, without Quarkus.
 */
package dev.luq.cli;
