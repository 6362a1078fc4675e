"""Writes the files beside this one with pyarrow 26, as the library datasets has its tables, for ParquetFileTest."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).parent
SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("question", pa.string()),
        ("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
        ("answers", pa.list_(pa.string())),
        ("people", pa.list_(pa.struct([("answer", pa.string()), ("id", pa.int64())]))),
        ("precision", pa.float64()),
        ("balanced", pa.bool_()),
    ]
)
KINDS = {
    "none": {"compression": "none"},
    "snappy": {"compression": "snappy"},
    "gzip": {"compression": "gzip"},
    "zstd": {"compression": "zstd"},
    "lz4": {"compression": "lz4"},
    "pages-v2": {"compression": "snappy", "data_page_version": "2.0"},
    "plain": {"compression": "none", "use_dictionary": False},
}


def row(number):
    count = number % 4
    answers = [f"answer {i}" for i in range(count)]
    return {
        "id": number,
        "question": f"Question {number % 3}?",
        "image": {"bytes": bytes([number, 0, 255]), "path": f"{number}.jpg"},
        "answers": [*answers, None] if number % 5 == 2 else answers,
        "people": [{"answer": f"ä{i}", "id": i} for i in range(count)],
        "precision": number / 2 if number % 2 == 0 else None,
        "balanced": number % 4 == 0 if number % 2 == 0 else None,
    }


def main():
    table = pa.Table.from_pylist([row(number) for number in range(20)], SCHEMA)
    for name, options in KINDS.items():
        pq.write_table(table, HERE / f"{name}.parquet", row_group_size=8, **options)


main()
