package dev.luq.catalog;

import java.nio.file.Path;

/**
 * The model that comes with the server.
 *
 * @param folder {@code luq.demo-dir}
 */
public record DemoModel(Path folder) {

    /** Its id in the API. */
    public static final String ID = "luq-demo";

    public Path model() {
        return folder.resolve("luq-demo-F16.gguf");
    }

    /** Its projector. */
    public Path mmproj() {
        return folder.resolve("mmproj-luq-demo-F16.gguf");
    }

    /** Folder of the examples that it is calibrated with. */
    public Path calibration() {
        return folder.resolve("calibration");
    }

    /** Folder of the examples that it is evaluated with. */
    public Path evaluation() {
        return folder.resolve("evaluation");
    }
}
