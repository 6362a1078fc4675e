package dev.luq.benchmarks.scoring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PythonNumberTest {

    @ParameterizedTest
    @CsvSource({
        "'1', 1",
        "' 1.5\u00a0', 1.5",
        "+.5, 0.5",
        "5., 5",
        "1_000.2_5, 1000.25",
        "1e3, 1000",
        "-2E-1, -0.2",
        "inf, Infinity",
        "-Infinity, -Infinity",
        "nAn, NaN",
        "\u0661\u0662, 12"
    })
    void floatReads(String text, double value) {
        assertEquals(value, PythonNumber.parseFloat(text).orElseThrow());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ".", "1,000", "1__0", "_1", "1_", "0x10", "1f", "1d", "--1", "1 2", "e3", "$1"})
    void floatRefuses(String text) {
        assertTrue(PythonNumber.parseFloat(text).isEmpty(), text);
    }

    @Test
    void digitsMayBeMany() {
        String digits = "1".repeat(20_000);
        assertEquals(Double.POSITIVE_INFINITY, PythonNumber.parseFloat(digits).orElseThrow());
        assertEquals(0.1111111111111111, PythonNumber.parseFloat("." + digits).orElseThrow());
        assertEquals(Optional.of(new BigInteger(digits)), PythonNumber.parseInt(digits));
        assertTrue(PythonNumber.parseFloat(digits + "_").isEmpty());
    }

    @Test
    void intReadsDigitsAlone() {
        assertEquals(Optional.of(BigInteger.valueOf(-1000)), PythonNumber.parseInt(" -1_000 "));
        assertEquals(Optional.empty(), PythonNumber.parseInt("1.0"));
        assertEquals(Optional.of(BigInteger.valueOf(-1)), PythonNumber.truncate(-1.9));
        assertEquals(Optional.empty(), PythonNumber.truncate(Double.NaN));
    }

    @ParameterizedTest
    @CsvSource({"2.675, 2, 2.67", "0.5, 0, 0.0", "1.5, 0, 2.0", "1.005, 2, 1.0", "0.15, 1, 0.1", "-0.04, 1, -0.0"})
    void roundIsOfTheExactValue(double value, int places, double rounded) {
        assertEquals(rounded, PythonNumber.round(value, places));
    }

    @ParameterizedTest
    @CsvSource({
        "1, 1.0",
        "0.1, 0.1",
        "1e22, 1e+22",
        "123456789012345680, 1.2345678901234568e+17",
        "1e15, 1000000000000000.0",
        "0.0001, 0.0001",
        "0.00001, 1e-05",
        "2e-3, 0.002",
        "-1.5, -1.5",
        "0, 0.0",
        "-0.0, -0.0",
        "4.9e-324, 5e-324",
        "1.7976931348623157e308, 1.7976931348623157e+308",
        "NaN, nan",
        "-Infinity, -inf"
    })
    void strIsTheShortest(double value, String text) {
        assertEquals(text, PythonNumber.text(value));
    }
}
