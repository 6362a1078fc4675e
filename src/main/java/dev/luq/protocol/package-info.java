/**
 * What the server and its worker and job processes say to each other: frames over pipes, and shared memory for deaths.
 *
 * <p>{@link dev.luq.protocol.ServerFrame} goes to a worker, {@link dev.luq.protocol.WorkerFrame} comes back, and
 * {@link dev.luq.protocol.JobFrame} comes from a job; {@link dev.luq.protocol.Frames} is how they are written.
 * {@link dev.luq.protocol.Blackbox} says what a process worked on when it died. Both sides are of one build: the form may change
 * without regard for older ones.
 */
package dev.luq.protocol;
