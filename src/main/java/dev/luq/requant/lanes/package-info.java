/** Pieces of work that do not depend on each other, on several threads. */
package dev.luq.requant.lanes;
