/**
 * What the machine is that this process runs on: how many processors it may use, and which kernels are right on them; and
 * the settings that say how models lie in its memory.
 */
package dev.luq.machine;
