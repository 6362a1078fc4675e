/**
 * The launcher's commands that are written in Java: {@code chat}, {@code requantize}, {@code plan}, {@code eval},
 * {@code export}, and a part of {@code doctor}. They run in a JVM of their own, without Quarkus.
 */
package dev.luq.cli;
