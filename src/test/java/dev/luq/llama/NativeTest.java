package dev.luq.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class NativeTest {

    @Test
    void whatALibraryLacksIsSaidWithoutItsPath() {
        UnsatisfiedLinkError searched = new UnsatisfiedLinkError("no jnillama in java.library.path: /usr/lib:/lib");
        searched.initCause(new UnsatisfiedLinkError(
                "/root/.javacpp/cache/luq-1/dev/luq/preset/linux-x86_64/libjnillama.so: libgomp.so.1: cannot open shared"
                        + " object file: No such file or directory"));
        assertEquals(
                "libgomp.so.1: cannot open shared object file: No such file or directory", Native.linkReason(searched));
    }

    @Test
    void whatHasNoCauseIsSaidItself() {
        assertEquals(
                "none of the CPU backends fits this machine",
                Native.linkReason(new UnsatisfiedLinkError("none of the CPU backends fits this machine")));
    }
}
