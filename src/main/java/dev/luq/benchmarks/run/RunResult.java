package dev.luq.benchmarks.run;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.luq.benchmarks.scoring.Scores;

/**
 * What a model reached.
 *
 * @param limit questions or groups that were asked of the benchmark; null for all
 * @param judge the model that read answers to {@code mathvista} that the rules could not; null where none was asked
 * @param refused questions that the server did not take; they count as wrong
 * @param unread answers to {@code mathvista} that neither rules nor a judge could read; they count as wrong
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record RunResult(RunHeader header, Integer limit, String judge, int refused, int unread, Scores scores) {}
