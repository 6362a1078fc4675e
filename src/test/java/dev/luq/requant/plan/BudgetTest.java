package dev.luq.requant.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import org.junit.jupiter.api.Test;

class BudgetTest {

    @Test
    void readsWhatPeopleWrite() {
        assertEquals(new Budget.RatioToQ4KM(0.6), Budget.parse("60%"));
        assertEquals(new Budget.Deployment(3L << 30), Budget.parse("3GiB"));
        assertEquals(new Budget.Deployment(900L << 20), Budget.parse(" 900 mib "));
        assertEquals(new Budget.Deployment(2_500_000_000L), Budget.parse("2.5GB"));
        assertEquals(new Budget.Weights(800L << 20), Budget.parse("weights:800MiB"));
        assertEquals(new Budget.BitsPerWeight(2.5), Budget.parse("2.5bpw"));
        assertEquals(new Budget.MeanKld(0.05), Budget.parse("kld:0.05"));
        assertEquals(new Budget.Accuracy(0.9), Budget.parse("accuracy:.9"));
    }

    @Test
    void isTextInJsonToo() throws Exception {
        ObjectMapper json = new ObjectMapper();
        for (String text : List.of("60%", "3GiB", "weights:800MiB", "2.5bpw", "kld:0.00005", "accuracy:0.9", "33.3%")) {
            Budget budget = Budget.parse(text);
            assertEquals(budget, Budget.parse(budget.text()));
            assertEquals(budget, json.readValue(json.writeValueAsString(budget), Budget.class));
        }
        assertEquals("60%", Budget.parse("60%").text());
        assertEquals("67.1%", Budget.parse("67.1%").text());
        assertEquals("0.00005", Budget.parse("kld:0.00005").text().substring("kld:".length()));
    }

    @Test
    void whatIsNoBudgetIsExplained() {
        for (String text : List.of(
                "",
                "60",
                "lots",
                "3 GiB/s",
                "weights:60%",
                "kld:1MiB",
                "accuracy:2",
                "-3GiB",
                "NaN%",
                "bpw",
                "3XiB",
                "60%%")) {
            PlanException e = assertThrows(PlanException.InvalidBudget.class, () -> Budget.parse(text), text);
            assertTrue(e.getMessage().contains("60%"), e.getMessage());
        }
        for (String text : List.of("0%", "0GiB", "kld:0." + "0".repeat(80) + "1", "99999999999999GiB")) {
            assertThrows(PlanException.InvalidBudget.class, () -> Budget.parse(text), text);
        }
    }

    @Test
    void someNeedMeasuring() {
        assertTrue(Budget.parse("60%").isOfSize());
        assertFalse(Budget.parse("kld:0.1").isOfSize());
        assertFalse(Budget.parse("accuracy:0.9").isOfSize());
    }
}
