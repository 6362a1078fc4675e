package dev.luq.admin;

import static dev.luq.admin.AdminProfile.admin;
import static dev.luq.admin.AdminProfile.json;
import static dev.luq.admin.AdminProfile.user;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.luq.Integration;
import dev.luq.LoggedLines;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Every administrative act leaves one line that says who did what to what, and how it went. */
@Integration
@QuarkusTest
@TestProfile(AdminProfile.Scripted.class)
class AuditTest {

    private final LoggedLines log = new LoggedLines("dev.luq.audit");

    @AfterEach
    void close() {
        log.close();
    }

    @Test
    void whoDidWhatToWhat() {
        admin().get("/admin/v1/models").then().statusCode(200);
        json("{\"model\":\"tiny\"}").post("/admin/v1/plans").then().statusCode(200);
        assertEquals(List.of(), lines(), "reading is no act");

        json("{\"aliases\":[\"small\"]}")
                .put("/admin/v1/models/tiny/aliases")
                .then()
                .statusCode(200);
        admin().post("/admin/v1/models/none-such/unload").then().statusCode(404);
        json("{\"variant\":\"none\"}")
                .post("/admin/v1/models/tiny/activation")
                .then()
                .statusCode(404);
        json("{\"id\":\"x\\nkey=root\",\"model\":\"a\"}")
                .post("/admin/v1/models")
                .then()
                .statusCode(400);
        admin().delete("/admin/v1/variants/none").then().statusCode(404);
        json("{\"name\":\"n\",\"folder\":\"f\"}")
                .post("/admin/v1/calibration-sets")
                .then()
                .statusCode(400);
        admin().post("/admin/v1/requantizations/rq-none/cancel").then().statusCode(404);
        user().delete("/admin/v1/models/tiny").then().statusCode(403);
        assertEquals(
                List.of(
                        "key=admin-* act=setAliases object=\"tiny\" outcome=done",
                        "key=admin-* act=unloadModel object=\"none-such\" outcome=not_found",
                        "key=admin-* act=activateVariant object=\"tiny none\" outcome=not_found",
                        "key=admin-* act=registerModel object=\"x\\u000akey=root\" outcome=invalid_request",
                        "key=admin-* act=deleteVariant object=\"none\" outcome=not_found",
                        "key=admin-* act=nameCalibrationSet object=\"n\" outcome=invalid_calibration_set",
                        "key=admin-* act=cancelRequantization object=\"rq-none\" outcome=not_found",
                        "key=user-* act=DELETE object=\"/admin/v1/models/tiny\" outcome=insufficient_permissions"),
                lines());
    }

    /** Without what differs: the digest that names a key without a name, and the request's id. */
    private List<String> lines() {
        return log.lines().stream()
                .map(line -> line.replaceAll("key=(\\w+)-[0-9a-f]{8} ", "key=$1-* ")
                        .replaceAll(" request=req_[0-9a-f]{32}$", ""))
                .toList();
    }
}
