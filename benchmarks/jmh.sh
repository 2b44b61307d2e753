#!/usr/bin/env bash
# JMH benchmarks of the kernels. The first time, and when sources changed, it builds.
#   benchmarks/jmh.sh MatMul -p rows=1178 -p layer=1536x6144 -p weights=BF16 -p threads=2
#   benchmarks/jmh.sh -l          lists them          benchmarks/jmh.sh -h     JMH's options
set -euo pipefail
home=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
target=$home/benchmarks/target
list=$target/jmh.classpath
if [ "${1:-}" = build ] || [ ! -f "$list" ] ||
  [ -n "$(find "$home"/pom.xml "$home"/*/pom.xml "$home"/*/src/main "$home"/benchmarks/src -newer "$list" -print -quit)" ]; then
  (cd "$home" && ./mvnw -B -q -Pjmh -pl benchmarks -am -DskipTests -Dspotless.check.skip package) >&2
  [ "${1:-}" != build ] || exit 0
fi
java=${JAVA_HOME:+$JAVA_HOME/bin/}java
exec "$java" -XX:+UseParallelGC -XX:MaxNewSize=1g --add-modules=jdk.incubator.vector --enable-native-access=ALL-UNNAMED \
  ${RECTIFLOW_JAVA_OPTS:-} -cp "$target/classes:$(cat "$list")" org.openjdk.jmh.Main "$@"
