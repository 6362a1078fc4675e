package dev.luq.architecture.broken.worker.child;

/** Runs in the child process. */
public class Child {
}
