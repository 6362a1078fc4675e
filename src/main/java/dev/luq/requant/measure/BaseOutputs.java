package dev.luq.requant.measure;

import dev.luq.files.AtomicFiles;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;
import java.util.zip.CheckedInputStream;
import java.util.zip.CheckedOutputStream;

/**
 * The base model's outputs over a data set, on disk. Written once, renamed into place when it is whole, then only read.
 *
 * <pre>
 * file      = magic version vocabulary kept position* end checksum
 * magic     = "LUQOUT" in ASCII
 * version   = u16, 1
 * vocabulary= i32, tokens of the vocabulary
 * kept      = i32, tokens kept per position; equal to vocabulary: the full distribution
 * position  = example target best token{kept} log{kept} rest
 * example   = i32, index in the data set, never descending
 * target    = i32, the right answer's token
 * best      = i32, the base model's likeliest token
 * token     = i32, ascending; absent when kept = vocabulary
 * log       = f32, natural logarithm of the token's probability
 * rest      = f32, natural logarithm of the probability of all others; absent when kept = vocabulary
 * end       = i32, -1
 * checksum  = i32, CRC-32C of all before
 * </pre>
 *
 * Numbers are big-endian. A vocabulary of 8192 tokens or fewer is kept in full, of a larger one the 1024 likeliest
 * tokens (8 KiB a position, where a full distribution of 152,064 tokens would take 594 KiB).
 */
public final class BaseOutputs {

    static final int FULL_VOCABULARY = 8192;
    static final int KEPT_OF_LARGER = 1024;

    private static final byte[] MAGIC = {'L', 'U', 'Q', 'O', 'U', 'T'};
    private static final int VERSION = 1;
    private static final int END = -1;

    private BaseOutputs() {}

    /** Tokens kept per position of a vocabulary. */
    static int kept(int vocabulary) {
        return vocabulary <= FULL_VOCABULARY ? vocabulary : KEPT_OF_LARGER;
    }

    /** Takes the positions in order. {@link #commit} makes the file visible; without it nothing remains. */
    static final class Writer implements AutoCloseable {
        private final Path file;
        private final Path partial;
        private final CRC32C checksum = new CRC32C();
        private final FileChannel channel;
        private final DataOutputStream out;
        private int vocabulary;

        Writer(Path file) throws IOException {
            this.file = file;
            this.partial = file.resolveSibling(file.getFileName() + ".part");
            this.channel = FileChannel.open(
                    partial, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE);
            this.out = new DataOutputStream(new BufferedOutputStream(
                    new CheckedOutputStream(Channels.newOutputStream(channel), checksum), 1 << 16));
        }

        /**
         * @param size tokens of the vocabulary, the same for all
         * @param output with as many kept as {@link #kept} says
         */
        void add(int size, BaseOutput output) {
            try {
                if (vocabulary == 0) {
                    header(size);
                } else if (vocabulary != size) {
                    throw new IllegalArgumentException("a vocabulary of " + size + " after " + vocabulary);
                }
                write(output);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private void header(int size) throws IOException {
            vocabulary = size;
            out.write(MAGIC);
            out.writeShort(VERSION);
            out.writeInt(size);
            out.writeInt(kept(size));
        }

        private void write(BaseOutput output) throws IOException {
            out.writeInt(output.example());
            out.writeInt(output.target());
            out.writeInt(output.best());
            if (output.tokens() != null) {
                for (int token : output.tokens()) {
                    out.writeInt(token);
                }
            }
            for (float log : output.logs()) {
                out.writeFloat(log);
            }
            if (output.tokens() != null) {
                out.writeFloat(output.rest());
            }
        }

        void commit() throws IOException {
            if (vocabulary == 0) {
                header(1);
            }
            out.writeInt(END);
            out.flush();
            out.writeInt((int) checksum.getValue());
            out.flush();
            channel.close();
            AtomicFiles.commit(file, partial);
        }

        @Override
        public void close() throws IOException {
            channel.close();
            Files.deleteIfExists(partial);
        }
    }

    /** Reads the positions in order. */
    static final class Reader implements AutoCloseable {
        private final CRC32C checksum = new CRC32C();
        private final DataInputStream in;
        private final int vocabulary;
        private final int kept;
        /** Of one position's logarithms: read at once, or reading would take a fifth of a small model's evaluation. */
        private final byte[] bytes;

        private BaseOutput next;

        /** @throws MeasureException.BadBaseOutputs there is no such file, or it is none of these */
        Reader(Path file) {
            try {
                in = new DataInputStream(
                        new CheckedInputStream(new BufferedInputStream(Files.newInputStream(file), 1 << 16), checksum));
            } catch (NoSuchFileException e) {
                throw new MeasureException.BadBaseOutputs("they are gone", e);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            try {
                byte[] magic = in.readNBytes(MAGIC.length);
                if (!Arrays.equals(magic, MAGIC) || in.readUnsignedShort() != VERSION) {
                    throw new MeasureException.BadBaseOutputs("the file is of another kind or version", null);
                }
                vocabulary = in.readInt();
                kept = in.readInt();
                if (vocabulary < 1 || kept != kept(vocabulary)) {
                    throw new MeasureException.BadBaseOutputs("the file is damaged", null);
                }
                bytes = new byte[kept * Float.BYTES];
                advance();
            } catch (IOException e) {
                throw damaged(e);
            }
        }

        private void advance() throws IOException {
            int example = in.readInt();
            if (example == END) {
                next = null;
                int expected = (int) checksum.getValue();
                if (in.readInt() != expected || in.read() != -1) {
                    throw new MeasureException.BadBaseOutputs("the checksum is wrong", null);
                }
                return;
            }
            int target = in.readInt();
            int best = in.readInt();
            int[] tokens = null;
            if (kept < vocabulary) {
                tokens = new int[kept];
                for (int i = 0; i < kept; i++) {
                    tokens[i] = in.readInt();
                }
            }
            float[] logs = new float[kept];
            in.readFully(bytes);
            ByteBuffer.wrap(bytes).asFloatBuffer().get(logs);
            next = new BaseOutput(
                    example, target, best, tokens, logs, tokens == null ? Float.NEGATIVE_INFINITY : in.readFloat());
        }

        /** Whether another position follows; after the last one the file's checksum was found right. */
        boolean hasNext() {
            return next != null;
        }

        /** The positions of an example that come next; none when it was skipped. */
        List<BaseOutput> of(int example) {
            List<BaseOutput> outputs = new ArrayList<>();
            while (hasNext() && next.example() == example) {
                outputs.add(next());
            }
            return outputs;
        }

        BaseOutput next() {
            BaseOutput output = next;
            try {
                advance();
            } catch (IOException e) {
                throw damaged(e);
            }
            return output;
        }

        private static RuntimeException damaged(IOException e) {
            return e instanceof EOFException
                    ? new MeasureException.BadBaseOutputs("the file ends early", e)
                    : new UncheckedIOException(e);
        }

        @Override
        public void close() {
            try {
                in.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
