/**
 * The server's half of serving: a process for each model, its successors when it dies, and the requests on their way to it.
 *
 * <p>{@link dev.luq.serving.ModelWorkers} finds a model's {@link dev.luq.serving.ModelWorker}, which generates.
 * {@code Supervisor} has a {@code ModelRoute} for each model of the catalogue; behind it stands a {@code SupervisedWorker},
 * which has the life of its {@code WorkerProcess}, and its {@code InFlightRequests}. {@code Permits} says how much is let in,
 * {@code Quarantine} and {@code DispatchQueue} deal with inputs that kill workers, {@code RestartPolicy} says when the next
 * process starts, {@link dev.luq.serving.ModelControl} loads, unloads and swaps for administrators. {@code
 * LoadScheduler} decides which models are in memory, {@code ModelLoader} loads them for requests and ends them. What
 * runs in the process is {@code worker}; both know only {@code protocol} of each other.
 *
 * <p>Threads: {@code luq-supervisor} has all deadlines and pauses; each process has one that writes and one that reads, on which
 * events of its requests are delivered; models are started and ended on threads of the loader's. Locks: the loader's
 * before a route's, a route's before a worker's.
 */
package dev.luq.serving;
