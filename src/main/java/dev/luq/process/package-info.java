/**
 * Child processes of any kind: how they are started, what becomes of their log, and what is known when they end.
 *
 * <p>{@link dev.luq.process.ChildCommand} makes command line and environment, of which no secret of the server is part;
 * {@link dev.luq.process.LogRelay} brings their standard error into the server's log; {@link dev.luq.process.CrashReports} keeps
 * the reports of JVMs that crashed. On the other side, each of them begins with {@link dev.luq.process.ChildMain}. What is
 * said over the pipes is {@code protocol}.
 */
package dev.luq.process;
