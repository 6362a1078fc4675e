package dev.luq.bench;

import dev.luq.catalog.DemoModel;
import dev.luq.cli.ModelOptions;
import dev.luq.cli.Waiting;
import dev.luq.gguf.GgmlType;
import dev.luq.gguf.ImportanceMatrix;
import dev.luq.gguf.LayeredModel;
import dev.luq.gguf.ModelFiles;
import dev.luq.llama.Llama;
import dev.luq.llama.ModelQuantizer;
import dev.luq.requant.calibrate.CalibrationOptions;
import dev.luq.requant.calibrate.Calibrator;
import dev.luq.requant.data.Dataset;
import dev.luq.requant.spec.RequantizationSpec.Calibration;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A LUQ model of many types: Q4_K_M, and the ladder's low ones by turns in every second layer. */
public final class LadderMix {

    private static final List<GgmlType> LOW =
            List.of(GgmlType.IQ1_M, GgmlType.IQ2_XXS, GgmlType.IQ2_S, GgmlType.IQ3_XXS, GgmlType.IQ3_S);

    private LadderMix() {}

    /** The types that differ from Q4_K_M's, by regular expressions of tensor names. */
    public static Map<String, GgmlType> types(int layers) {
        Map<String, GgmlType> types = new LinkedHashMap<>();
        for (int layer = 1; layer < layers; layer += 2) {
            types.put("^blk\\." + layer + "\\.", LOW.get(layer / 2 % LOW.size()));
        }
        return types;
    }

    /**
     * Makes one of the demo model, calibrated on its own calibration set.
     *
     * @param folder of which the caller disposes
     * @return the GGUF
     */
    static Path ofDemo(Path folder, int threads) throws IOException {
        Llama.init(line -> {});
        ModelOptions demo = ModelOptions.of("demo", null);
        ModelFiles base = demo.modelFiles();
        Path mix = folder.resolve("demo-mix.gguf");
        ModelQuantizer.quantize(
                demo.modelFile(),
                mix,
                new ModelQuantizer.Options(
                        ModelQuantizer.FileType.Q4_K_M,
                        false,
                        types(LayeredModel.of(base).layers().size()),
                        Optional.of(importance(demo, base, folder, threads)),
                        threads));
        return mix;
    }

    /** As a re-quantization's, but without sampled vectors, which rank layers. */
    private static ImportanceMatrix importance(ModelOptions demo, ModelFiles base, Path folder, int threads)
            throws IOException {
        CalibrationOptions usual = CalibrationOptions.DEFAULT;
        CalibrationOptions options = new CalibrationOptions(
                Calibration.DEFAULT.examples(),
                1,
                usual.activations(),
                usual.contextSize(),
                usual.batchSize(),
                usual.imageTokens(),
                usual.chatTemplate(),
                threads,
                Calibration.DEFAULT.seed(),
                usual.checkpointInterval());
        try {
            return Calibrator.run(
                            base.paths(),
                            demo.mmprojFile(),
                            "", // the folder is of this model alone
                            Dataset.read(demo.set("", null, DemoModel::calibration)),
                            options,
                            folder.resolve("calibration"),
                            (done, of) -> {})
                    .importance(Calibration.DEFAULT.alpha());
        } catch (InterruptedException e) {
            throw Waiting.interrupted(e);
        }
    }
}
