/**
 * Calibration and evaluation sets: questions about images with their answers, in a folder.
 *
 * <pre>
 * folder   := *.jsonl and images, in sub-folders or not
 * line     := {"image": null | name | [name, ...], "question": text, "answer": text, "category": text}
 * name     := of a PNG, JPEG or WEBP file, relative to the folder, with / between folders
 * </pre>
 *
 * {@code image} and {@code category} may be left out. A line without image is text only. Empty lines are skipped;
 * fields of any other name are refused, because a misspelt {@code image} would turn an image's question into text.
 */
package dev.luq.requant.data;
