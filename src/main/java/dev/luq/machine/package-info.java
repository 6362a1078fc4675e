/** What the machine is that this process runs on: how many processors it may use, and which kernels are right on them. */
package dev.luq.machine;
