/**
 * What a re-quantization found, as {@code report.json} and as one self-contained page: no script, no picture file, no
 * address outside itself.
 */
package dev.luq.requant.report;

