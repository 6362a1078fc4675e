package dev.luq.http;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.Arrays;

/** The addresses that count as one client where there are no keys. */
public final class ClientNetwork {

    /** Bytes of an IPv6 address that one host has to itself. */
    private static final int IPV6_PREFIX = 8;

    private ClientNetwork() {}

    /** @return the four bytes of an IPv4 address, or the first 64 bits of an IPv6 address */
    public static byte[] of(InetAddress address) {
        byte[] bytes = address.getAddress();
        return address instanceof Inet6Address ? Arrays.copyOf(bytes, IPV6_PREFIX) : bytes;
    }
}
