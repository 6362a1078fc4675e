/**
 * {@code luq bench}: measurements of this machine, each a command of its own, models of given shapes with random weights for
 * them, and a soak. A project of its own on the application's classes; nothing of it is in the application or the image.
 */
package dev.luq.bench;
