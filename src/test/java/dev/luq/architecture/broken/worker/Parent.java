package dev.luq.architecture.broken.worker;

import dev.luq.architecture.broken.worker.child.Child;

/** Uses what runs in the child process. */
public class Parent {
    public Child child;
}
