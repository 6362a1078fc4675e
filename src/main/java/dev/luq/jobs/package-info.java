/**
 * Re-quantizations as the server runs them: a queue on the disk, and for each job a process of low priority that does
 * the work.
 * <pre>
 * data folder / jobs / server.lock     held by the server that has the jobs
 *                    / ID / spec.json      what is to be done; never changes
 *                         / record.json    what the server knows: state, phase, activation
 *                         / process.lock   held by the process that works on it
 *                         / ...            of the process: status, decision, report
 * </pre>
 * A record is flushed to the disk before anybody hears of it. A server that is killed takes its processes with it, for
 * their input ends; its successor finds RUNNING in their records and queues them again. A process that is killed is
 * followed by another, which goes on with the first phase that was not done.
 */
package dev.luq.jobs;
