package dev.luq.architecture.broken.worker;

/** Runs in the child process. */
public class Child {}
