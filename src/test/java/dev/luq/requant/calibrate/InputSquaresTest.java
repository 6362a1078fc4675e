package dev.luq.requant.calibrate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.requant.feed.Modality;
import java.nio.FloatBuffer;
import org.junit.jupiter.api.Test;

class InputSquaresTest {

    private static final String WEIGHT = "blk.0.ffn_down.weight";

    private final InputSquares squares = new InputSquares();

    private boolean add(int columns, float... inputs) {
        return squares.add(WEIGHT, Modality.TEXT, FloatBuffer.wrap(inputs), columns);
    }

    private InputSquares.Sums sums() {
        return squares.sums().get(WEIGHT).get(Modality.TEXT);
    }

    @Test
    void tokensOfLikeEnergyCountAsTheyAre() {
        assertTrue(add(2, 1, 2, 2, 1, 3, 0));
        assertArrayEquals(new double[] {14, 5}, sums().plain());
        assertArrayEquals(new double[] {14, 5}, sums().bounded());
    }

    /** One column of one token would be nearly all that an error is measured by. */
    @Test
    void aMassiveActivationCountsFourTimesTheMedianTokenInTheBoundedSumsAlone() {
        assertTrue(add(2, 1, 1, 1, 1, 3000, 0));
        assertArrayEquals(new double[] {9_000_002, 2}, sums().plain());
        assertArrayEquals(new double[] {2 + 4 * 2, 2}, sums().bounded(), 1e-9);
    }

    @Test
    void aBatchOfOneTokenHasNoOtherToBeMeasuredBy() {
        assertTrue(add(2, 3000, 1));
        assertArrayEquals(sums().plain(), sums().bounded());
    }

    @Test
    void whereMostTokensAreZeroNoneCounts() {
        assertTrue(add(1, 0, 0, 5));
        assertArrayEquals(new double[] {25}, sums().plain());
        assertArrayEquals(new double[] {0}, sums().bounded());
    }

    @Test
    void aSumThatIsNotFiniteIsTold() {
        assertFalse(add(2, 1, Float.NaN, 1, 1));
        assertFalse(add(2, 1, 1), "those before count too");
        assertTrue(new InputSquares().add(WEIGHT, Modality.TEXT, FloatBuffer.wrap(new float[] {Float.MAX_VALUE}), 1));
    }

    @Test
    void batchesAndExamplesAddUp() {
        add(1, 1, 1, 100);
        InputSquares other = new InputSquares();
        other.add(WEIGHT, Modality.TEXT, FloatBuffer.wrap(new float[] {2, 2, 100}), 1);
        squares.add(other);
        assertArrayEquals(new double[] {1 + 1 + 10_000 + 4 + 4 + 10_000}, sums().plain());
        assertArrayEquals(new double[] {1 + 1 + 4 + 4 + 4 + 16}, sums().bounded(), 1e-9);
    }

    @Test
    void aTwinHasItsOwnSums() {
        add(1, 1, 2);
        squares.copy("blk.0.attn_k.weight", WEIGHT);
        add(1, 3);
        assertArrayEquals(
                new double[] {5},
                squares.sums().get("blk.0.attn_k.weight").get(Modality.TEXT).plain());
        assertArrayEquals(new double[] {14}, sums().plain());
    }
}
