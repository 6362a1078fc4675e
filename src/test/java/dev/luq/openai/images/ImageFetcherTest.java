package dev.luq.openai.images;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.Until;
import dev.luq.http.errors.ApiError;
import dev.luq.http.errors.ApiException;
import dev.luq.http.intake.IntakeBudget;
import dev.luq.serving.TestConfig;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.net.PemTrustOptions;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.GZIPOutputStream;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Pictures by URL, from hosts that keep to the rules and hosts that do not. */
@Integration
class ImageFetcherTest {

    private static final byte[] PICTURE = {1, 2, 3, 4, 5};
    private static final int LIMIT = 100_000;
    private static final Vertx VERTX = Vertx.vertx();

    private final IntakeBudget budget = new IntakeBudget(1 << 20, 1 << 18);
    private final IntakeBudget.Share share = budget.reserve("a", 0);
    private final List<String> lookedUp = new CopyOnWriteArrayList<>();

    @AfterEach
    void onlyWhatWasReturnedIsCharged() {
        share.close();
        assertEquals(budget.total(), budget.free());
    }

    @AfterAll
    static void endVertx() {
        VERTX.close();
    }

    @Test
    void aPictureOfAHostThatIsNamed() throws Exception {
        try (TestHost host = TestHost.of(PICTURE)) {
            ImageFetcher fetcher = fetcher("http://127.0.0.1:" + host.port());
            assertArrayEquals(PICTURE, fetch(fetcher, "http://127.0.0.1:" + host.port() + "/a%20b.png?size=1"));
            assertEquals(budget.total() - PICTURE.length, budget.free());
            assertTrue(host.heads.get(0).startsWith("GET /a%20b.png?size=1 HTTP/1.1\n"), host.heads::toString);
        }
    }

    @Test
    void aRequestSaysWhatItMustAndNoMore() throws Exception {
        try (TestHost host = TestHost.of(PICTURE)) {
            fetch(fetcher(names(host)), "http://pictures.example:" + host.port() + "/a.png#fragment");
            List<String> lines = Arrays.asList(host.heads.get(0).split("\n"));
            List<String> sorted = new ArrayList<>(lines.subList(1, lines.size()));
            sorted.replaceAll(line ->
                    line.substring(0, line.indexOf(':')).toLowerCase(Locale.ROOT) + line.substring(line.indexOf(':')));
            sorted.sort(null);
            assertEquals("GET /a.png HTTP/1.1", lines.get(0));
            assertEquals(
                    List.of(
                            "accept: image/*",
                            "connection: close",
                            "host: pictures.example:" + host.port(),
                            "user-agent: luq-server"),
                    sorted);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://127.0.0.1/a.png",
                "https://127.0.0.1:PORT/a.png",
                "http://127.0.0.2:PORT/a.png",
                "http://127.1:PORT/a.png",
                "http://2130706433:PORT/a.png",
                "http://0x7f.0.0.1:PORT/a.png",
                "http://localhost:PORT/a.png",
                "http://[::ffff:127.0.0.1]:PORT/a.png",
                "http://pictures.example.:PORT/a.png",
                "http://evil.example:PORT/a.png",
                "http://evil_service:PORT/a.png",
                "http://user@my_service:PORT/a.png",
                "http://my_service:99999/a.png",
                "http://my_service:PORT@evil.example/a.png",
                "http://pictures.example.evil.example:PORT/a.png",
                "http://xpictures.example:PORT/a.png",
                "http://127.0.0.1:PORT@evil.example/a.png",
                "http://pictures.example:PORT\\@evil.example/a.png",
                "http://user:secret@pictures.example:PORT/a.png",
                "http://@pictures.example:PORT/a.png",
                "http:///a.png",
                "http:a.png",
                "http://pictures.example:PORTx/a.png",
                "http://pictures.example:99999/a.png",
                "http://pictures.example:PORT/a b.png",
                "http://pictures.example:PORT/\r\nX-Header: 1",
                "https:",
                "http://"
            })
    void nobodyIsAskedForWhatIsNotNamed(String url) throws Exception {
        try (TestHost host = TestHost.of(PICTURE)) {
            ImageFetcher fetcher = fetcher(names(host) + ",http://my_service:" + host.port());
            ApiError error = refusal(fetcher, url.replace("PORT", String.valueOf(host.port())));
            assertEquals("400 invalid_image_url", error.status() + " " + error.code(), error.message());
            assertTrue(host.heads.isEmpty() && lookedUp.isEmpty(), () -> host.heads + " " + lookedUp);
        }
    }

    @Test
    void withoutNamedHostsThereIsNothing() {
        assertTrue(
                refusal(fetcher(""), "http://pictures.example/a.png").message().contains("luq.images.url-hosts"));
        assertTrue(lookedUp.isEmpty());
    }

    @ParameterizedTest
    @ValueSource(strings = {"private.example", "mixed.example", "metadata.example", "unknown.example"})
    void aNamedHostMayNotLeadToAnAddressThatIsNot(String name) throws Exception {
        try (TestHost host = TestHost.of(PICTURE)) {
            ApiError error = refusal(
                    fetcher("http://*.example:" + host.port()), "http://" + name + ":" + host.port() + "/a.png");
            assertEquals("400 invalid_image_url", error.status() + " " + error.code());
            assertFalse(error.message().matches("(?s).*\\d\\.\\d.*"), error.message());
            assertEquals(List.of(name), lookedUp);
            assertTrue(host.heads.isEmpty());
        }
    }

    /** The second answer for the same name would be another address. */
    @Test
    void aNameIsResolvedOnceAndTheConnectionGoesWhereThatLed() throws Exception {
        try (TestHost host = TestHost.of(PICTURE)) {
            AtomicInteger lookups = new AtomicInteger();
            ImageFetcher fetcher = fetcher(Map.of("url-hosts", names(host)), name -> {
                assertEquals(0, lookups.getAndIncrement(), "looked up again");
                return new InetAddress[] {
                    InetAddress.getByAddress("a.name.that.nobody.knows.invalid", new byte[] {127, 0, 0, 1})
                };
            });
            assertArrayEquals(PICTURE, fetch(fetcher, "http://pictures.example:" + host.port() + "/a.png"));
        }
    }

    @Test
    void aHostOfSeveralAddressesIsAskedAtTheNext() throws Exception {
        try (TestHost host = TestHost.of(PICTURE)) {
            ImageFetcher fetcher =
                    fetcher(Map.of("url-hosts", "http://pictures.example:" + host.port() + ",127.0.0.0/8"), name ->
                            new InetAddress[] {address("127.0.0.9"), address("127.0.0.1")});
            assertArrayEquals(PICTURE, fetch(fetcher, "http://pictures.example:" + host.port() + "/a.png"));
        }
    }

    @Test
    void aRedirectLeadsToAnotherNamedHost() throws Exception {
        try (TestHost target = TestHost.of(PICTURE);
                TestHost first = redirecting("302 Found", "http://pictures.example:" + target.port() + "/b.png");
                TestHost relative = redirecting("308 Permanent Redirect", "../c.png")) {
            ImageFetcher fetcher = fetcher(names(target) + "," + names(first) + "," + names(relative));
            assertArrayEquals(PICTURE, fetch(fetcher, "http://pictures.example:" + first.port() + "/a.png"));
            assertEquals(List.of("pictures.example", "pictures.example"), lookedUp);
            refusal(fetcher, "http://pictures.example:" + relative.port() + "/x/y/z/a.png");
            assertTrue(relative.heads.get(1).startsWith("GET /x/y/c.png "), relative.heads::toString);
        }
    }

    /** Docker Compose and Kubernetes make such names. */
    @Test
    void aHostMayHaveAnUnderscore() throws Exception {
        try (TestHost host = TestHost.of(PICTURE);
                TestHost first = redirecting("302 Found", "http://my_service:" + host.port() + "/b.png");
                TestHost relative = redirecting("302 Found", "b.png")) {
            ImageFetcher fetcher = fetcher("http://my_service:" + host.port() + ",http://my_service:" + first.port()
                    + ",http://my_service:" + relative.port() + ",127.0.0.1");
            assertArrayEquals(PICTURE, fetch(fetcher, "http://my_service:" + host.port() + "/a.png"));
            assertTrue(
                    host.heads.get(0).toLowerCase(Locale.ROOT).contains("host: my_service:" + host.port() + "\n"),
                    host.heads::toString);
            assertArrayEquals(PICTURE, fetch(fetcher, "http://my_service:" + first.port() + "/a.png"));
            refusal(fetcher, "http://my_service:" + relative.port() + "/x/a.png");
            assertTrue(relative.heads.get(1).startsWith("GET /x/b.png "), relative.heads::toString);
        }
    }

    @Test
    void aHostWithAnUnderscoreMayNotLeadToAnAddressThatIsNotNamed() throws Exception {
        try (TestHost host = TestHost.of(PICTURE)) {
            refusal(fetcher("http://my_service:" + host.port()), "http://my_service:" + host.port() + "/a.png");
            assertEquals(List.of("my_service"), lookedUp);
            assertTrue(host.heads.isEmpty());
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://127.0.0.2:PORT/",
                "http://localhost:PORT/",
                "http://169.254.169.254/latest/meta-data/",
                "http://[fd00:ec2::254]/",
                "http://metadata.example:PORT/",
                "http://evil.example:PORT/",
                "http://evil_service:PORT/",
                "//evil.example:PORT/",
                "https://pictures.example:PORT/",
                "http://user@pictures.example:PORT/",
                "file:///etc/passwd",
                "gopher://127.0.0.1:PORT/",
                "http://",
                ""
            })
    void aRedirectIsJudgedAsIfItWereAsked(String location) throws Exception {
        try (TestHost target = TestHost.of(PICTURE);
                TestHost first = redirecting("301 Moved", location.replace("PORT", String.valueOf(target.port())))) {
            ImageFetcher fetcher =
                    fetcher(names(first) + ",http://metadata.example:" + target.port() + "," + names(target));
            ApiError error = refusal(fetcher, "http://pictures.example:" + first.port() + "/a.png");
            assertEquals("400 invalid_image_url", error.status() + " " + error.code());
            assertTrue(target.heads.isEmpty(), "it was asked");
            assertFalse(error.message().contains("169.254"), error.message());
        }
    }

    @Test
    void redirectsComeToAnEnd() throws Exception {
        try (TestHost circle = redirecting("307 Temporary Redirect", "/again")) {
            ApiError error = refusal(fetcher(names(circle)), "http://pictures.example:" + circle.port() + "/a.png");
            assertTrue(error.message().contains("redirects"), error.message());
            assertEquals(6, circle.heads.size());
        }
    }

    @Test
    void bytesAreCountedWhateverIsAnnounced() throws Exception {
        byte[] much = new byte[LIMIT + 1];
        for (String announced : List.of("100001", "999999999999999999")) {
            assertEquals(
                    "image_too_large",
                    code(out -> out.write(TestHost.head("200 OK", "Content-Length: " + announced))),
                    announced);
        }
        for (String none : List.of("999999999999999999999", "-1", "5, 6", "x")) {
            assertEquals(
                    "invalid_image_url",
                    code(out -> out.write(TestHost.head("200 OK", "Content-Length: " + none))),
                    none);
        }
        assertEquals("image_too_large", code(out -> {
            out.write(TestHost.head("200 OK"));
            out.write(much);
        }));
        assertEquals("image_too_large", code(out -> {
            out.write(TestHost.head("200 OK", "Transfer-Encoding: chunked"));
            while (true) {
                out.write("1000\r\n".getBytes(StandardCharsets.US_ASCII));
                out.write(new byte[0x1000]);
                out.write("\r\n".getBytes(StandardCharsets.US_ASCII));
            }
        }));
        assertEquals("invalid_image_url", code(out -> {
            out.write(TestHost.head("200 OK", "Content-Length: 1000"));
            out.write(new byte[999]);
        }));
        assertEquals("invalid_image", code(out -> out.write(TestHost.head("200 OK", "Content-Length: 0"))));
    }

    @Test
    void moreThanWasAnnouncedIsCutOff() throws Exception {
        try (TestHost host = new TestHost(out -> {
            out.write(TestHost.head("200 OK", "Content-Length: " + PICTURE.length));
            out.write(PICTURE);
            out.write(new byte[LIMIT]);
        })) {
            assertArrayEquals(PICTURE, fetch(fetcher(names(host)), "http://pictures.example:" + host.port() + "/"));
        }
    }

    @Test
    void nothingIsDecompressed() throws Exception {
        ByteArrayOutputStream bomb = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(bomb)) {
            gzip.write(new byte[50_000_000]);
        }
        for (String encoding : List.of("gzip", "deflate", "br", "identity, gzip")) {
            assertEquals("invalid_image_url", code(out -> {
                out.write(TestHost.head("200 OK", "Content-Encoding: " + encoding, "Content-Length: " + bomb.size()));
                out.write(bomb.toByteArray());
            }));
        }
    }

    @Test
    void noHostTakesLongerThanTheTime() throws Exception {
        Map<String, TestHost.Answer> slow = Map.of(
                "silent", out -> Thread.sleep(Until.LIMIT.toMillis()),
                "drips its head", out -> drip(out, "HTTP/1.1 200 OK\r\nX-Header: " + "x".repeat(500)),
                "drips its picture",
                        out -> {
                            out.write(TestHost.head("200 OK", "Content-Length: 500"));
                            drip(out, "x".repeat(500));
                        },
                "has no end",
                        out -> {
                            out.write(TestHost.head("200 OK"));
                            drip(out, "x".repeat(500));
                        },
                "informs without end",
                        out -> {
                            while (true) {
                                out.write(TestHost.head("103 Early Hints", "Link: </a>"));
                                out.flush();
                                Thread.sleep(50);
                            }
                        });
        for (Map.Entry<String, TestHost.Answer> answer : slow.entrySet()) {
            try (TestHost host = new TestHost(answer.getValue())) {
                ImageFetcher fetcher =
                        fetcher(Map.of("url-hosts", names(host), "url-timeout", "500ms"), ImageFetcherTest::addresses);
                long begun = System.nanoTime();
                ApiError error = refusal(fetcher, "http://pictures.example:" + host.port() + "/a.png");
                assertEquals("invalid_image_url", error.code(), answer.getKey() + error);
                assertTrue(error.message().contains("500 ms"), answer.getKey() + error);
                assertTrue(System.nanoTime() - begun >= 400_000_000L, answer.getKey());
            }
        }
    }

    @Test
    void redirectsAndLookupsShareTheTime() throws Exception {
        try (TestHost circle = new TestHost(out -> {
            Thread.sleep(300);
            out.write(TestHost.head("302 Found", "Location: /again", "Content-Length: 0"));
        })) {
            ImageFetcher fetcher =
                    fetcher(Map.of("url-hosts", names(circle), "url-timeout", "500ms"), ImageFetcherTest::addresses);
            assertTrue(refusal(fetcher, "http://pictures.example:" + circle.port() + "/a.png")
                    .message()
                    .contains("500 ms"));
        }
        CompletableFuture<InetAddress[]> never = new CompletableFuture<>();
        ImageFetcher fetcher =
                fetcher(Map.of("url-hosts", "http://pictures.example", "url-timeout", "200ms"), name -> never.join());
        assertTrue(refusal(fetcher, "http://pictures.example/a.png").message().contains("200 ms"));
        never.complete(new InetAddress[0]);
    }

    @Test
    void whatAHostSaysIsNotToldOn() throws Exception {
        for (String status : List.of("404 Not Found", "500 secret reason", "206 Partial Content", "401 Unauthorized")) {
            try (TestHost host = new TestHost(out -> {
                out.write(TestHost.head(status, "X-Secret: secret", "Content-Length: 6"));
                out.write("secret".getBytes(StandardCharsets.US_ASCII));
            })) {
                ApiError error = refusal(fetcher(names(host)), "http://pictures.example:" + host.port() + "/");
                assertTrue(error.message().contains(status.substring(0, 3)), error.message());
                assertFalse(error.message().contains("secret"), error.message());
            }
        }
        assertEquals(
                "invalid_image_url",
                code(out -> out.write("no HTTP at all\r\n\r\n".getBytes(StandardCharsets.US_ASCII))));
        assertEquals("invalid_image_url", code(out -> out.write(TestHost.head("200 OK", "X: " + "x".repeat(50_000)))));
        ApiError closed = refusal(fetcher("http://127.0.0.1:9"), "http://127.0.0.1:9/");
        assertFalse(closed.message().contains("127.0.0.1"), closed.message());
    }

    @Test
    void whatDoesNotFitInMemoryIsRefusedAndGivenBack() throws Exception {
        try (IntakeBudget.Share others = budget.reserve("a", budget.total() - 1000);
                TestHost host = TestHost.of(new byte[5000])) {
            ApiError error = refusal(fetcher(names(host)), "http://pictures.example:" + host.port() + "/");
            assertEquals("429 queue_full", error.status() + " " + error.code());
            assertEquals(1000, budget.free());
        }
    }

    /** One client's slow pictures leave half of the places to others. */
    @Test
    void oneClientDoesNotHoldEverybody() throws Exception {
        CompletableFuture<Void> release = new CompletableFuture<>();
        try (TestHost slow = new TestHost(out -> {
                    release.join();
                    out.write(TestHost.head("200 OK", "Content-Length: " + PICTURE.length));
                    out.write(PICTURE);
                });
                TestHost quick = TestHost.of(PICTURE)) {
            ImageFetcher fetcher = fetcher(
                    Map.of("url-hosts", names(slow) + "," + names(quick), "concurrent-fetches", "4"),
                    ImageFetcherTest::addresses);
            List<CompletableFuture<byte[]>> held = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                held.add(CompletableFuture.supplyAsync(
                        () -> fetcher.fetch(
                                "http://pictures.example:" + slow.port() + "/",
                                new Asker("greedy", () -> false),
                                "p",
                                share),
                        task -> new Thread(task).start()));
            }
            Until.until("two fetches", () -> slow.heads.size() == 2);
            assertArrayEquals(PICTURE, fetch(fetcher, "http://pictures.example:" + quick.port() + "/"));
            assertEquals(2, slow.heads.size(), "the others wait");
            release.complete(null);
            for (CompletableFuture<byte[]> picture : held) {
                assertArrayEquals(PICTURE, Until.completed("a slow picture", picture));
            }
        }
    }

    @Test
    void overTlsTheCertificateIsThatOfTheName(@TempDir Path folder) throws Exception {
        Path store = folder.resolve("keys.p12");
        Path pem = folder.resolve("cert.pem");
        keytool(
                "-genkeypair",
                "-keystore",
                store,
                "-storetype",
                "PKCS12",
                "-storepass",
                "secret",
                "-alias",
                "a",
                "-keyalg",
                "EC",
                "-dname",
                "CN=pictures.example",
                "-ext",
                "san=dns:pictures.example");
        keytool("-exportcert", "-keystore", store, "-storepass", "secret", "-alias", "a", "-rfc", "-file", pem);
        KeyStore keys = KeyStore.getInstance(store.toFile(), "secret".toCharArray());
        KeyManagerFactory factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        factory.init(keys, "secret".toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(factory.getKeyManagers(), null, null);
        try (TestHost host = new TestHost(context.getServerSocketFactory(), out -> {
            out.write(TestHost.head("200 OK", "Content-Length: " + PICTURE.length));
            out.write(PICTURE);
        })) {
            Map<String, String> named = Map.of(
                    "url-hosts",
                    "https://pictures.example:" + host.port() + ",https://other.example:" + host.port() + ",127.0.0.1");
            ImageFetcher trusting = new ImageFetcher(
                    TestConfig.of(ImagesConfig.class, named),
                    VERTX,
                    ImageFetcherTest::addresses,
                    new HttpClientOptions().setTrustOptions(new PemTrustOptions().addCertPath(pem.toString())));
            assertArrayEquals(PICTURE, fetch(trusting, "https://pictures.example:" + host.port() + "/"));
            assertEquals(
                    "invalid_image_url",
                    refusal(trusting, "https://other.example:" + host.port() + "/")
                            .code());
            assertEquals(
                    "invalid_image_url",
                    refusal(
                                    fetcher(named, ImageFetcherTest::addresses),
                                    "https://pictures.example:" + host.port() + "/")
                            .code(),
                    "signed by nobody");
            assertEquals(1, host.heads.size());
        }
    }

    private static void keytool(Object... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
        for (Object argument : arguments) {
            command.add(argument.toString());
        }
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), output);
    }

    private static void drip(OutputStream out, String text) throws IOException, InterruptedException {
        for (byte b : text.getBytes(StandardCharsets.US_ASCII)) {
            out.write(b);
            out.flush();
            Thread.sleep(50);
        }
    }

    private static TestHost redirecting(String status, String location) throws IOException {
        return new TestHost(out -> out.write(TestHost.head(status, "Location: " + location, "Content-Length: 0")));
    }

    /** What names this host, under its name and with its address. */
    private static String names(TestHost host) {
        return "http://pictures.example:" + host.port() + ",127.0.0.1";
    }

    private static InetAddress address(String text) {
        return Network.literal(text);
    }

    private static InetAddress[] addresses(String name) throws UnknownHostException {
        return switch (name) {
            case "pictures.example", "other.example", "my_service" -> new InetAddress[] {address("127.0.0.1")};
            case "private.example" -> new InetAddress[] {address("127.0.0.1")};
            case "mixed.example" -> new InetAddress[] {address("93.184.216.34"), address("10.0.0.1")};
            case "metadata.example" -> new InetAddress[] {address("169.254.169.254")};
            default -> throw new UnknownHostException(name);
        };
    }

    private ImageFetcher fetcher(String hosts) {
        return fetcher(hosts.isEmpty() ? Map.of() : Map.of("url-hosts", hosts), name -> {
            lookedUp.add(name);
            return addresses(name);
        });
    }

    private static ImageFetcher fetcher(Map<String, String> config, ImageFetcher.Resolver resolver) {
        Map<String, String> all = new HashMap<>(config);
        all.put("url-max-bytes", String.valueOf(LIMIT));
        return new ImageFetcher(TestConfig.of(ImagesConfig.class, all), VERTX, resolver, new HttpClientOptions());
    }

    private byte[] fetch(ImageFetcher fetcher, String url) {
        return fetcher.fetch(url, new Asker("client", () -> false), "p", share);
    }

    private ApiError refusal(ImageFetcher fetcher, String url) {
        ApiError error =
                assertThrows(ApiException.class, () -> fetch(fetcher, url)).error();
        assertTrue(error.param() == null || error.param().equals("p"));
        return error;
    }

    /** Of the refusal of a picture from a host that answers so. */
    private String code(TestHost.Answer answer) throws IOException {
        try (TestHost host = new TestHost(answer)) {
            return refusal(fetcher(names(host)), "http://pictures.example:" + host.port() + "/a.png")
                    .code();
        }
    }
}
