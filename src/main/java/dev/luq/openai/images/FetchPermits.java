package dev.luq.openai.images;

import dev.luq.http.errors.ApiException.Busy;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Who may fetch a picture now: so many at once, and of one client half of them. Others wait, so many again and half of
 * them of one client: each holds a thread. Thread-safe.
 */
final class FetchPermits {

    private static final class Count {
        int fetching;
        int waiting;
    }

    /** How often who waits looks whether its client is still there. */
    private static final long GLANCE_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

    private final int most;
    private final int mostOfClient;
    // guarded by this
    private final Map<String, Count> clients = new HashMap<>();
    private int fetching;
    private int waiting;

    /** @param most fetches at once, 1 or more */
    FetchPermits(int most) {
        this.most = most;
        this.mostOfClient = Math.max(1, most / 2);
    }

    /**
     * Waits for a permit.
     *
     * @return to be closed when the picture is there
     * @throws Busy if too many wait already, or it takes too long
     * @throws dev.luq.http.errors.ApiException.ClientGone if the client leaves meanwhile
     */
    synchronized Permit take(Asker asker, Duration patience) {
        String client = asker.client();
        Count count = clients.computeIfAbsent(client, absent -> new Count());
        long until = System.nanoTime() + patience.toNanos();
        try {
            while (fetching == most || count.fetching == mostOfClient) {
                await(count, until);
                asker.requirePresence();
            }
            fetching++;
            count.fetching++;
            return new Permit(client, count);
        } finally {
            forget(client, count);
        }
    }

    private void await(Count count, long until) {
        long left = until - System.nanoTime();
        if (left <= 0 || waiting == most || count.waiting == mostOfClient) {
            throw busy();
        }
        waiting++;
        count.waiting++;
        try {
            TimeUnit.NANOSECONDS.timedWait(this, Math.min(left, GLANCE_NANOS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw busy();
        } finally {
            waiting--;
            count.waiting--;
        }
    }

    private void forget(String client, Count count) {
        if (count.fetching == 0 && count.waiting == 0) {
            clients.remove(client, count);
        }
    }

    private static Busy busy() {
        return new Busy("The server is busy fetching other pictures");
    }

    /** Of one fetch. */
    final class Permit implements AutoCloseable {
        private final String client;
        private final Count count;

        private Permit(String client, Count count) {
            this.client = client;
            this.count = count;
        }

        @Override
        public void close() {
            synchronized (FetchPermits.this) {
                fetching--;
                count.fetching--;
                forget(client, count);
                FetchPermits.this.notifyAll();
            }
        }
    }
}
