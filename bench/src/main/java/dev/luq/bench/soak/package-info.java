/** Hours of what clients do, and of workers that die: whether a server stands it. */
package dev.luq.bench.soak;
