package dev.luq.http.access;

import dev.luq.http.errors.ApiException.RateLimited;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import java.util.function.Predicate;

/**
 * The rates of keys that have any. A request is let in while its key has a request and a token left; the tokens
 * that it then uses are charged when they are known. Thread-safe.
 */
@Singleton
public final class RateLimits {

    /** One rate of one key: a new file with another number begins anew. */
    private record Rate(String key, String unit, long perMinute) {
        boolean isReplacedBy(Rate other) {
            return key.equals(other.key) && unit.equals(other.unit) && perMinute != other.perMinute;
        }
    }

    private final Predicate<String> known;
    private final LongSupplier clock;
    private final Map<Rate, TokenBucket> buckets = new ConcurrentHashMap<>();

    @Inject
    RateLimits(KeyRing ring) {
        this(name -> ring.keys().hasName(name), System::nanoTime);
    }

    /**
     * @param known whether a key of this name is there
     * @param clock nanoseconds
     */
    RateLimits(Predicate<String> known, LongSupplier clock) {
        this.known = known;
        this.clock = clock;
    }

    /**
     * Charges a request for a generation.
     *
     * @throws RateLimited if its key has used up what it may for now
     */
    public void admit(Caller caller) {
        TokenBucket requests = requests(caller);
        refuseIfEmpty(requests, "requests");
        refuseIfEmpty(tokens(caller), "tokens");
        if (requests != null) {
            requests.take(1);
        }
    }

    private static void refuseIfEmpty(TokenBucket bucket, String unit) {
        long seconds = bucket == null ? 0 : bucket.secondsToWait();
        if (seconds > 0) {
            throw new RateLimited("The API key has used up its " + unit + " of this minute", seconds);
        }
    }

    /** Whether {@link #charge} does anything for this caller. */
    public boolean countsTokens(Caller caller) {
        return tokens(caller) != null;
    }

    /** Charges tokens. */
    public void charge(Caller caller, long amount) {
        TokenBucket tokens = tokens(caller);
        if (tokens != null) {
            tokens.take(amount);
        }
    }

    /** @return null when its requests are not limited */
    private TokenBucket requests(Caller caller) {
        return bucket(
                caller, "requests", caller.key().map(ApiKey::requestsPerMinute).orElse(OptionalLong.empty()));
    }

    /** @return null when its tokens are not limited */
    private TokenBucket tokens(Caller caller) {
        return bucket(
                caller, "tokens", caller.key().map(ApiKey::tokensPerMinute).orElse(OptionalLong.empty()));
    }

    private TokenBucket bucket(Caller caller, String unit, OptionalLong perMinute) {
        if (perMinute.isEmpty()) {
            return null;
        }
        Rate rate = new Rate(caller.name(), unit, perMinute.getAsLong());
        TokenBucket bucket = buckets.get(rate);
        if (bucket == null) {
            buckets.keySet().removeIf(other -> !known.test(other.key()) || other.isReplacedBy(rate));
            bucket = buckets.computeIfAbsent(rate, absent -> new TokenBucket(rate.perMinute(), clock));
        }
        return bucket;
    }
}
