#!/usr/bin/env bash
# Measures kernels beside oneDNN's and libtorch's. The first time, and when sources changed, it builds.
#   benchmarks/peers.sh --only conv --threads 2 --rounds 5     benchmarks/peers.sh --help
#   benchmarks/peers.sh build                                  builds only
set -euo pipefail
home=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
target=$home/benchmarks/target
list=$target/peers.classpath
if [ "${1:-}" = build ] || [ ! -f "$list" ] ||
  # An ordinary build takes the peers' classes away.
  [ ! -f "$target/classes/org/rectiflow/benchmarks/peers/PeersMain.class" ] ||
  [ -n "$(find "$home"/pom.xml "$home"/*/pom.xml "$home"/*/src/main "$home"/benchmarks/src -newer "$list" -print -quit)" ]; then
  (cd "$home" && ./mvnw -B -q -Ppeers -pl benchmarks -am -DskipTests -Dspotless.check.skip package) >&2
  [ "${1:-}" != build ] || exit 0
fi
java=${JAVA_HOME:+$JAVA_HOME/bin/}java  # of JDK 25, as for ./mvnw
# DJL must neither look for updates in the net nor report that it is used.
exec "$java" -XX:+UseParallelGC -XX:MaxNewSize=1g --add-modules=jdk.incubator.vector --enable-native-access=ALL-UNNAMED \
  -DOPT_OUT_TRACKING=true -Dai.djl.offline=true -DDJL_CACHE_DIR="$target/djl" -Dorg.bytedeco.javacpp.cachedir="$target/javacpp" \
  ${RECTIFLOW_JAVA_OPTS:-} \
  -cp "$target/classes:$(cat "$list")" org.rectiflow.benchmarks.peers.PeersMain "$@"
