package dev.luq.decoder;

import dev.luq.decoder.DecoderException.Reason;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * Who may decode an image now: so many at once, of those that take much memory one, and so many more may wait. A client
 * alone may have all of it. Among several, the one goes first that decodes least, then the one whose last image was
 * done first; and when more wait than may, the client with most of them loses its last one. Thread-safe.
 */
final class DecoderPermits {

    /** One that decodes or waits. */
    private static final class Client {
        final Deque<Permit> waiting = new ArrayDeque<>();
        int decoding;
        /** Higher than those of all that were done before its last image was, or came before it did. */
        long turn;

        int waiting() {
            return waiting.size();
        }
    }

    private static final Comparator<Client> ORDER =
            Comparator.<Client>comparingInt(client -> client.decoding).thenComparingLong(client -> client.turn);

    /** How often who waits looks whether its client is still there. */
    private static final long GLANCE_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

    private final int queue;
    // guarded by this
    private final Map<String, Client> clients = new HashMap<>();
    private int free;
    private boolean largeTaken;
    private long turns;

    /**
     * @param most images at once
     * @param queue images that may wait
     */
    DecoderPermits(int most, int queue) {
        this.free = most;
        this.queue = queue;
    }

    /**
     * Waits for a permit.
     *
     * @param name of the client
     * @param large whether the image takes much memory
     * @param gone whether the client has left
     * @return to be closed when the image is decoded
     * @throws DecoderException if too many wait, it takes too long, or the client leaves meanwhile
     */
    synchronized Permit take(String name, boolean large, Duration patience, BooleanSupplier gone) {
        Client client = clients.computeIfAbsent(name, absent -> new Client());
        if (client.waiting.isEmpty() && client.decoding == 0) {
            // Who comes often, and each time anew, is not before those who have waited.
            client.turn = ++turns;
        }
        Permit permit = new Permit(name, client, large);
        client.waiting.add(permit);
        give();
        if (permit.state == State.WAITING) {
            refuseOneTooMany(client);
            await(permit, patience, gone);
        }
        return permit;
    }

    /** A permit for an image that takes little, if there is one at this moment. */
    synchronized Optional<Permit> takeFree(String name) {
        return free == 0 ? Optional.empty() : Optional.of(take(name, false, Duration.ZERO, () -> false));
    }

    private void give() {
        while (free > 0) {
            Optional<Permit> next = clients.values().stream()
                    .sorted(ORDER)
                    .flatMap(client -> client.waiting.stream().filter(permit -> !permit.large || !largeTaken))
                    .findFirst();
            if (next.isEmpty()) {
                return;
            }
            give(next.get());
        }
    }

    private void give(Permit permit) {
        free--;
        largeTaken |= permit.large;
        permit.state = State.GIVEN;
        permit.client.waiting.remove(permit);
        permit.client.decoding++;
        notifyAll();
    }

    /** @param arriving whose image came last */
    private void refuseOneTooMany(Client arriving) {
        if (clients.values().stream().mapToInt(Client::waiting).sum() > queue) {
            Client most = clients.values().stream()
                    .filter(client -> client.waiting() > arriving.waiting())
                    .max(Comparator.comparingInt(Client::waiting))
                    .orElse(arriving);
            most.waiting.removeLast().state = State.REFUSED;
            notifyAll();
        }
    }

    private void await(Permit permit, Duration patience, BooleanSupplier gone) {
        long until = System.nanoTime() + patience.toNanos();
        long left = patience.toNanos();
        try {
            while (permit.state == State.WAITING && left > 0 && !gone.getAsBoolean()) {
                TimeUnit.NANOSECONDS.timedWait(this, Math.min(left, GLANCE_NANOS));
                left = until - System.nanoTime();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (permit.state != State.GIVEN) {
            permit.client.waiting.remove(permit);
            forget(permit);
            throw new DecoderException(gone.getAsBoolean() ? Reason.GONE : Reason.BUSY);
        }
    }

    private void forget(Permit permit) {
        if (permit.client.waiting.isEmpty() && permit.client.decoding == 0) {
            clients.remove(permit.name, permit.client);
        }
    }

    private enum State {
        WAITING,
        GIVEN,
        REFUSED
    }

    /** Of one image. */
    final class Permit implements AutoCloseable {
        private final String name;
        private final Client client;
        private final boolean large;
        private State state = State.WAITING;

        private Permit(String name, Client client, boolean large) {
            this.name = name;
            this.client = client;
            this.large = large;
        }

        @Override
        public void close() {
            synchronized (DecoderPermits.this) {
                free++;
                largeTaken &= !large;
                client.decoding--;
                client.turn = ++turns;
                give();
                forget(this);
            }
        }
    }
}
