package dev.luq.requant.measure;

import io.quarkus.runtime.annotations.RegisterForReflection;

/** Questions asked, and those whose answer was the right one. */
@RegisterForReflection
public record Score(int right, int asked) {

    /** 0 to 1; 0 when nothing was asked. */
    public double share() {
        return asked == 0 ? 0 : (double) right / asked;
    }

    Score plus(boolean correct) {
        return new Score(right + (correct ? 1 : 0), asked + 1);
    }
}
