"""The task of benchmarks.archive as a user of pyspark, DuckDB or polars would write it; imports nothing of ours.

python archive_engines.py ENGINE FOLDER-or-"-" BRAND,BRAND,…   (run by the Python of --others)
"""

from __future__ import annotations

import json
import sys
import tempfile

PRICE = r"\$ ?(\d+(?:\.\d+)?)"


def pyspark(folder: str, brands: str) -> list[tuple[str, str, int, float]]:
    from pyspark.sql import SparkSession
    from pyspark.sql import functions as f
    from pyspark.sql.types import StringType, StructField, StructType

    def of(**fields: object) -> StructType:
        return StructType([StructField(name, kind) for name, kind in fields.items()])

    text = StringType()
    extended = of(full_text=text)
    schema = of(created_at=text, id_str=text, text=text, extended_tweet=extended,
                retweeted_status=of(text=text, extended_tweet=extended))  # fmt: skip
    spark = (
        SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").config("spark.log.level", "ERROR")
        .config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", "4").getOrCreate()
    )  # fmt: skip
    whole = f.coalesce(
        "retweeted_status.extended_tweet.full_text", "retweeted_status.text", "extended_tweet.full_text", "text"
    )
    found = (
        spark.read.schema(schema).json(f"{folder}/*.json.bz2")
        .select("created_at", "id_str", whole.alias("text"))
        .where(f.col("text").rlike(PRICE) & f.col("text").rlike(rf"(?i)\b({brands})\b"))
        .dropDuplicates(["id_str"])
        .select(
            f.lower(f.regexp_extract("text", rf"(?i)\b({brands})\b", 1)).alias("brand"),
            f.concat_ws(" ", f.substring("created_at", 27, 4), f.substring("created_at", 5, 6)).alias("day"),
            f.regexp_extract("text", PRICE, 1).cast("double").alias("price"),
        )
        .groupBy("brand", "day").agg(f.count("*"), f.sum("price")).collect()
    )  # fmt: skip
    rows = [tuple(row) for row in found]
    spark.stop()
    return rows


def duckdb(_: str, brands: str) -> list[tuple[str, str, int, float]]:
    import duckdb

    return duckdb.sql(f"""
        with told as (
            select id_str, created_at, coalesce(retweeted_status.extended_tweet.full_text, retweeted_status.text,
                                                extended_tweet.full_text, text) as text
            from read_json('/dev/stdin', format='newline_delimited', columns={{
                created_at: 'VARCHAR', id_str: 'VARCHAR', text: 'VARCHAR', extended_tweet: 'STRUCT(full_text VARCHAR)',
                retweeted_status: 'STRUCT(text VARCHAR, extended_tweet STRUCT(full_text VARCHAR))'}})
        ), chosen as (
            select distinct on (id_str) * from told
            where regexp_matches(text, '{PRICE}') and regexp_matches(text, '\\b({brands})\\b', 'i')
        )
        select lower(regexp_extract(text, '\\b({brands})\\b', 1, 'i')), created_at[27:30] || ' ' || created_at[5:10],
               count(*), sum(regexp_extract(text, '{PRICE}', 1)::double)
        from chosen group by 1, 2""").fetchall()


def polars(_: str, brands: str) -> list[tuple[str, str, int, float]]:
    import shutil

    import polars as pl

    extended = pl.Struct({"full_text": pl.String})
    schema = {"created_at": pl.String, "id_str": pl.String, "text": pl.String, "extended_tweet": extended,
              "retweeted_status": pl.Struct({"text": pl.String, "extended_tweet": extended})}  # fmt: skip
    retweet = pl.col("retweeted_status").struct
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as file:  # it does not scan a pipe
        shutil.copyfileobj(sys.stdin.buffer, file, 1 << 20)
        file.flush()
        whole = pl.coalesce(
            retweet.field("extended_tweet").struct.field("full_text"), retweet.field("text"),
            pl.col("extended_tweet").struct.field("full_text"), pl.col("text"),
        )  # fmt: skip
        return (
            pl.scan_ndjson(file.name, schema=schema)
            .select("created_at", "id_str", whole.alias("text"))
            .filter(pl.col("text").str.contains(PRICE) & pl.col("text").str.contains(rf"(?i)\b({brands})\b"))
            .unique("id_str")
            .select(
                pl.col("text").str.extract(rf"(?i)\b({brands})\b", 1).str.to_lowercase().alias("brand"),
                (pl.col("created_at").str.slice(26, 4) + " " + pl.col("created_at").str.slice(4, 6)).alias("day"),
                pl.col("text").str.extract(PRICE, 1).cast(pl.Float64).alias("price"),
            )
            .group_by("brand", "day").agg(pl.len(), pl.sum("price"))
            .collect(engine="streaming").rows()
        )  # fmt: skip


MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

if __name__ == "__main__":
    name, given, brands = sys.argv[1:]
    found = {"pyspark": pyspark, "duckdb": duckdb, "polars": polars}[name](given, brands.replace(",", "|"))
    sums = {}
    for brand, day, n, total in found:
        year, month, number = day.split()
        sums[f"{brand} {year}-{MONTHS.index(month) + 1:02}-{number}"] = [n, total]
    print(json.dumps(sums))
