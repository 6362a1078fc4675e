/**
 * The GGUF file grammar, versions 2 and 3, little-endian.
 *
 * <pre>
 * file      := magic version tensors:u64 keys:u64 pair{keys} info{tensors} padding data
 * magic     := 'G' 'G' 'U' 'F'
 * version   := u32                      2 or 3; both have the same layout, 3 added big-endian files
 * pair      := string value             the key: UTF-8, 1 to 65535 bytes, unique
 * value     := type:u32 content
 * content   := u8 | i8 | u16 | i16 | u32 | i32 | f32 | bool | string | array | u64 | i64 | f64
 * bool      := u8                       0 or 1
 * string    := length:u64 byte{length}
 * array     := type:u32 count:u64 content{count}
 * info      := string rank:u32 extent:u64{rank} ggmlType:u32 offset:u64
 *                                       the name: UTF-8, 1 to 63 bytes, unique; rank 0 to 4;
 *                                       the first extent is a row's length and changes fastest
 * padding   := byte*                    up to the next multiple of general.alignment (u32, default 32)
 * data      := (tensor padding)*        tensors in the order of their infos; offsets count from the start of data
 * </pre>
 *
 * The reader accepts what llama.cpp v0.5.0 loads and no more, with three exceptions that cost nothing: arrays of arrays
 * are understood, empty tensors are not, and an alignment is a multiple of 8 as the specification asks. It refuses
 * everything else before a native library sees the file: what lies past the end of the file, overflowing shapes,
 * duplicates, gaps and overlaps, unknown types. Nothing is allocated on the word of a count that the file's size does
 * not cover, and metadata is bounded by {@link dev.luq.gguf.GgufReader#MAX_HEADER_BYTES}.
 *
 * <p>Source: ggml's {@code docs/gguf.md} and {@code src/gguf.cpp}.
 */
package dev.luq.gguf;
