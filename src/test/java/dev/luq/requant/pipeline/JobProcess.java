package dev.luq.requant.pipeline;

import dev.luq.files.DataFolder;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** A job in a process of its own, which may be killed. */
final class JobProcess {

    private JobProcess() {
    }

    /** @param args the data folder and the job folder */
    public static void main(String[] args) {
        new RequantizationJob(new DataFolder(Path.of(args[0])), Path.of(args[1])).run(new Jobs.Notes());
    }

    static Process start(Path dataDir, Path jobFolder) {
        try {
            return new ProcessBuilder(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx256m", "-cp", System.getProperty("java.class.path"),
                    JobProcess.class.getName(), dataDir.toString(), jobFolder.toString()))
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .redirectError(new File(dataDir.getParent().toFile(), "stderr")).start();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
