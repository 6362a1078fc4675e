package dev.luq.worker;

import dev.luq.Signals;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/** Stands in for {@link KernelTrialsMain}: says what its script says, and counts its starts. */
public final class ScriptedTrials {

    private ScriptedTrials() {}

    /**
     * @param arguments the script, a file of lines {@code NAME => what happens}: a line to be printed, {@code SIGNAL name},
     *     {@code hang}, {@code complain TEXT} on standard error, {@code exit} or {@code wait SECONDS}, without a processor; the file that counts starts; then those of {@link KernelTrialsMain}
     */
    public static void main(String[] arguments) throws Exception {
        Files.writeString(Path.of(arguments[1]), "started\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        List<String> script = Files.readAllLines(Path.of(arguments[0]));
        List<String> leftOut = List.of(arguments).subList(3, arguments.length);
        for (int i = Integer.parseInt(arguments[2]); i < script.size(); i++) {
            String[] sides = script.get(i).split(" => ");
            if (!sides[0].isEmpty()) {
                System.out.println("trial " + i + " " + sides[0]);
            }
            play(sides[0].contains(" ") && leftOut.contains(sides[0].split(" ")[1]) ? "left-out" : sides[1]);
        }
        System.out.println("end");
    }

    private static void play(String event) throws InterruptedException {
        if (event.startsWith("SIGNAL ")) {
            Signals.dieOf(event.substring("SIGNAL ".length()));
        } else if (event.equals("hang")) {
            long end = System.nanoTime() + 60_000_000_000L;
            while (System.nanoTime() < end) {
                Thread.onSpinWait();
            }
        } else if (event.startsWith("wait ")) {
            Thread.sleep(1000L * Integer.parseInt(event.substring("wait ".length())));
        } else if (event.startsWith("complain ")) {
            System.err.println(event.substring("complain ".length()));
        } else if (event.equals("exit")) {
            Runtime.getRuntime().halt(0);
        } else {
            System.out.println(event);
        }
    }
}
