/**
 * How good a model's answers are: its next-token distributions against those of the base model, and its own answers
 * against the right ones. Everything is measured on the files that are served, over the serving prompt path.
 */
package dev.luq.requant.measure;
