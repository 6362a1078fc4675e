/** Rooms that import what they may not, for the test of the import table. */
package dev.luq.architecture.broken;
