/**
 * What runs in the process of a job: {@code requant.pipeline} with frames to the server around it.
 */
package dev.luq.jobs.child;
