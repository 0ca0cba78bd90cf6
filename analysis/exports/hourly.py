"""Counters by the hour in PostgreSQL: a continuous aggregate where TimescaleDB is on offer, else a view. Pure.

Both are called `observations_hourly` and have the same columns: of each counter the last value shown in that hour.
"""

from __future__ import annotations

from analysis.exports.schema import BY_NAME

IS_THERE = "SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb'"
LATE = "INTERVAL '30 days'"  # how far behind late and replayed captures are taken in anew
_COUNTERS = tuple(
    each.name
    for each in BY_NAME["observations"].columns
    if each.type in ("integer", "double", "numeric") and not each.name.endswith("_precision")
)


def _columns(last: str) -> str:
    return ", ".join(f'{last.format(name=name)} AS "{name}"' for name in _COUNTERS)


_PLAIN_LAST = '(array_agg("{name}" ORDER BY at DESC, capture DESC) FILTER (WHERE "{name}" IS NOT NULL))[1]'
PLAIN = (
    "DROP VIEW IF EXISTS observations_hourly",  # a view with more columns than before cannot be replaced
    "CREATE VIEW observations_hourly AS SELECT date_trunc('hour', at, 'UTC') AS hour, entity, kind, "
    f"count(*) AS readings, {_columns(_PLAIN_LAST)} FROM observations GROUP BY 1, 2, 3",
)
_TIMESCALE_LAST = 'last("{name}", at) FILTER (WHERE "{name}" IS NOT NULL)'
TIMESCALE = (
    "CREATE EXTENSION IF NOT EXISTS timescaledb",
    "SELECT create_hypertable('observations', 'at', chunk_time_interval => INTERVAL '7 days', "
    "if_not_exists => TRUE, migrate_data => TRUE)",
    "CREATE MATERIALIZED VIEW IF NOT EXISTS observations_hourly WITH (timescaledb.continuous) AS "
    "SELECT time_bucket(INTERVAL '1 hour', at) AS hour, entity, kind, "
    f"count(*) AS readings, {_columns(_TIMESCALE_LAST)} FROM observations GROUP BY 1, 2, 3 WITH NO DATA",
    f"SELECT add_continuous_aggregate_policy('observations_hourly', start_offset => {LATE}, "
    "end_offset => INTERVAL '1 hour', schedule_interval => INTERVAL '1 hour', if_not_exists => TRUE)",
)
