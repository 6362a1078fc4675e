package dev.luq.admin;

import dev.luq.http.BodyLimit;
import jakarta.inject.Singleton;

/** What administrators send as JSON is small. */
@Singleton
final class AdminBodyLimit implements BodyLimit {

    @Override
    public boolean covers(String path) {
        return path.startsWith("/admin/");
    }

    @Override
    public long bytes() {
        return AdminBody.LARGEST;
    }
}
