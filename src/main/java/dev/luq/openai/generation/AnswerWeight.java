package dev.luq.openai.generation;

import dev.luq.http.AnswerShare;
import dev.luq.protocol.WorkerFrame.Delta;
import dev.luq.protocol.WorkerFrame.OfRequest;
import dev.luq.protocol.WorkerFrame.Pieces;
import dev.luq.protocol.WorkerFrame.Text;
import dev.luq.protocol.WorkerFrame.TokenLogprob;
import dev.luq.protocol.WorkerFrame.Tokens;
import dev.luq.protocol.WorkerFrame.ToolCallDelta;
import java.util.List;

/** What frames take in memory that are kept until a whole answer is made of them. */
final class AnswerWeight {

    /** Bytes of a character: gathered with room for as much again, then copied. */
    private static final int CHARACTER = 4;

    /** Bytes of a token with its logarithm beside its text: what came, and what is made of it for the answer. */
    private static final int LOGPROB = 256;

    private static final int LOGPROB_JSON = 112;

    /** Bytes of {@code {"id":1,"piece":""},} and of an id alone. */
    private static final int PIECE_JSON = 24;

    private static final int ID_JSON = 6;

    private AnswerWeight() {}

    /**
     * Counts a frame. Embeddings count beforehand: {@link Queries.ToEmbed}.
     *
     * @param copies how often it is written
     * @throws dev.luq.http.errors.ApiException if there is no memory for it
     */
    static void add(OfRequest frame, AnswerShare share, int copies) {
        if (frame instanceof Delta delta) {
            addText(length(delta.content()) + length(delta.thought()) + length(delta.toolCall()), share, copies);
            if (delta.logprobs() != null) {
                addLogprobs(delta.logprobs(), share, copies);
            }
        } else if (frame instanceof Text text) {
            addText(length(text.text()), share, copies);
        } else if (frame instanceof Tokens tokens) {
            int count = tokens.tokens().length;
            Pieces pieces = tokens.pieces();
            if (pieces == null) {
                share.add((long) count * Integer.BYTES, (long) count * ID_JSON * copies);
            } else {
                share.add(
                        (long) count * 2 * Integer.BYTES + pieces.bytes().length,
                        ((long) count * PIECE_JSON + pieces.bytes().length) * copies);
            }
        }
    }

    private static void addText(long length, AnswerShare share, int copies) {
        share.add(length * CHARACTER, length * copies);
    }

    private static void addLogprobs(List<TokenLogprob> tokens, AnswerShare share, int copies) {
        for (TokenLogprob token : tokens) {
            addText(length(token.token()), share, copies);
            share.add(LOGPROB, (long) LOGPROB_JSON * copies);
            if (token.top() != null) {
                addLogprobs(token.top(), share, copies);
            }
        }
    }

    private static long length(String text) {
        return text == null ? 0 : text.length();
    }

    private static long length(ToolCallDelta call) {
        return call == null ? 0 : length(call.argumentsDelta());
    }
}
