package dev.luq.architecture.broken.serving;

import dev.luq.architecture.broken.worker.Child;

/** Uses what runs in the child process. */
public class Parent {
    public Child child;
}
