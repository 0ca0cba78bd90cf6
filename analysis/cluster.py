"""Spark, where the extra is installed: a session on the cluster that TIDEMARK_SPARK_MASTER names, or spark-submit."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from analysis.command import UsageError
from crawler.config import load


def session(name: str, master: str | None = None) -> Any:
    """master: where Spark is told to run; else by TIDEMARK_SPARK_MASTER, else as it is set up. Raises UsageError."""
    if find_spec("pyspark") is None:
        raise UsageError(f"{name}: Spark needs the extra `spark` and Java 17; try: pip install pyspark")
    sql = import_module("pyspark.sql").SparkSession
    builder = sql.builder.appName(f"tidemark {name}").config("spark.ui.showConsoleProgress", "false")
    try:
        made = (builder.master(wanted) if (wanted := master or load().spark_master) else builder).getOrCreate()
    except Exception as error:  # Java is missing, the master does not answer: Spark raises what it likes
        raise UsageError(f"{name}: no Spark at {wanted or 'its default master'} ({type(error).__name__}); is Java 17 "
                         "here, and TIDEMARK_SPARK_MASTER right (local[2], spark://host:7077, yarn, k8s://…)?"
                         ) from None  # fmt: skip
    if str(made.sparkContext.master).startswith("local"):
        made.sparkContext.pythonExec = sys.executable  # not whichever python3 comes first
    return made
