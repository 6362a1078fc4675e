/**
 * What a re-quantization found, as {@code report.json} and as one self-contained page: no script, no image file, no
 * address outside itself.
 */
package dev.luq.requant.report;
