/**
 * The code that runs in a worker's process, and nothing else: an engine behind the protocol.
 *
 * <p>{@link dev.luq.worker.WorkerMain} is its main class, {@code WorkerLoop} reads frames, {@code EngineHost} loads the model and
 * has the engine, {@code FrameMapper} translates between frames and the engine's records, {@code Outbox} writes.
 * {@link dev.luq.worker.KernelTrialsMain} is the main class of the process that tries kernels on this machine.
 */
package dev.luq.worker;
