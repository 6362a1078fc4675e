/**
 * How fast models generate on this machine: expected from the kernels that multiply their weights, and measured in a
 * process of its own with the kernels of serving.
 */
package dev.luq.requant.speed;
