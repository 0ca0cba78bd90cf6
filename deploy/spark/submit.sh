#!/usr/bin/env bash
# Texts or deals by a Spark cluster: deploy/spark/submit.sh spark://host:7077 texts --from s3://bucket/posts.parquet -o read.parquet
#
# The executors get this folder's code and an environment as archives, so they need Java and nothing else. Make the
# environment once, on the operating system of the executors, and set ENVIRONMENT to it:
#   python3 -m venv env && env/bin/pip install --require-hashes -r requirements.lock
#   env/bin/pip install --no-deps pyspark py4j venv-pack && env/bin/venv-pack -p env -o environment.tar.gz
# Without ENVIRONMENT the executors use the Python of PYSPARK_PYTHON, which must have it all.
#
# Object stores are read by the executors themselves: AWS_* and GOOGLE_* of this shell are handed on where they are set;
# better are roles of the machines. s3a:// is read by Spark: add to SPARK_MORE
#   --packages org.apache.hadoop:hadoop-aws:3.4.1 --conf spark.hadoop.fs.s3a.endpoint=$AWS_ENDPOINT_URL
set -euo pipefail
master=$1
shift
here=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git -C "$here" archive --format=tar.gz -o "$work/code.tar.gz" HEAD analysis crawler

archives="$work/code.tar.gz#code"
options=()
if [ -n "${ENVIRONMENT:-}" ]; then
    archives="$archives,$ENVIRONMENT#environment"
    options+=("spark.pyspark.python ./environment/bin/python")
fi
for name in AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_DEFAULT_REGION AWS_ENDPOINT_URL; do
    [ -z "${!name:-}" ] || options+=("spark.executorEnv.$name ${!name}")
done
printf '%s\n' "spark.executorEnv.PYTHONPATH code" "${options[@]}" >"$work/conf" # a file, not arguments: keys are in it

cd "$here"
PYTHONPATH="$here${PYTHONPATH:+:$PYTHONPATH}" "${SPARK_SUBMIT:-spark-submit}" --master "$master" \
    --archives "$archives" --properties-file "$work/conf" --load-spark-defaults ${SPARK_MORE:-} \
    analysis/__main__.py "$@" --engine spark
