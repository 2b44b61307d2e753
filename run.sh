#!/usr/bin/env bash
# The one entry to Rectiflow: finds JDK 25, builds when sources changed, runs.
#   ./run.sh generate "four blue circles"    ./run.sh --help    ./run.sh test
set -euo pipefail
home=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$PWD

# Prints the major version of the JDK in folder $1, or nothing if there is none.
jdk_version() {
  [ -x "$1/bin/javac" ] && [ -f "$1/release" ] || return 0
  sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release"
}

find_jdk() {
  local candidate version
  local on_path
  on_path=$(command -v javac || true)
  [ -z "$on_path" ] || on_path=$(dirname "$(dirname "$(readlink -f "$on_path")")")
  for candidate in "${JAVA_HOME:-}" "$on_path" \
      /usr/lib/jvm/* /opt/java/* /opt/jdk* "$HOME"/.sdkman/candidates/java/* "$HOME"/.jdks/* \
      /Library/Java/JavaVirtualMachines/*/Contents/Home "$HOME"/Library/Java/JavaVirtualMachines/*/Contents/Home; do
    [ -n "$candidate" ] || continue
    version=$(jdk_version "$candidate")
    if [ "${version:-0}" -ge 25 ]; then
      echo "$candidate"
      return
    fi
  done
  cat >&2 <<'MESSAGE'
rectiflow: no JDK 25 found (looked at JAVA_HOME, the PATH and the usual folders).
Install one, for example Eclipse Temurin 25 from https://adoptium.net, or with SDKMAN:
    sdk install java 25-tem
and try again; or set JAVA_HOME to its folder.
MESSAGE
  return 1
}

JAVA_HOME=$(find_jdk)
export JAVA_HOME
app=$home/study/target
stamp=$app/built

# With TornadoVM the build has one module more, and the JVM is started as TornadoVM wants it.
maven_options=()
tornado=${TORNADOVM_HOME:-}
if [ -n "$tornado" ]; then
  api=("$tornado"/share/java/tornado/tornado-api-*.jar)
  if [ ! -f "${api[0]}" ] || [ ! -f "$tornado/tornado-argfile" ]; then
    echo "rectiflow: TORNADOVM_HOME=$tornado is not the folder of a TornadoVM SDK: it has no tornado-argfile or no" >&2
    echo "share/java/tornado/tornado-api-*.jar. Correct it, or unset it to run without TornadoVM." >&2
    exit 1
  fi
  version=$(basename "${api[0]}" .jar)
  maven_options=("-Dtornadovm.version=${version#tornado-api-}")
fi

# With Apache Spark it has another one, whose libraries are downloaded only then.
spark=${RECTIFLOW_SPARK:-}
if [ -n "$spark" ]; then
  maven_options+=(-Pspark)
fi
built_with="$tornado${spark:+ spark}"

changed() {
  [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$built_with" ] || return 0
  # Folders count too: removing a file touches its folder.
  [ -n "$(find "$home"/pom.xml "$home"/*/pom.xml "$home"/*/src/main -newer "$stamp" -print -quit)" ]
}

build() {
  echo "rectiflow: building (the first time takes a minute or two) ..." >&2
  (cd "$home" && ./mvnw -B -q -DskipTests -Dspotless.check.skip ${maven_options[@]+"${maven_options[@]}"} package) >&2 || {
    echo "rectiflow: the build failed; the messages above say why. './run.sh clean' removes all built files." >&2
    exit 1
  }
  rm -f "$app"/rectiflow.jsa
  echo "$built_with" >"$stamp"
}

case "${1:-}" in
  test)
    shift
    cd "$home"
    if [ -z "$tornado" ]; then
      echo "rectiflow: TornadoVM is not installed (TORNADOVM_HOME is not set), so the tests of tornado-kernels are left out."
    fi
    exec ./mvnw -B -ntp ${maven_options[@]+"${maven_options[@]}"} verify "$@"
    ;;
  clean)
    cd "$home"
    exec ./mvnw -B -q clean
    ;;
esac

if changed; then
  build
fi

classpath=$(printf '%s:' "$app"/*.jar "$app"/lib/*.jar "$home"/benchmarks/target/benchmarks-*.jar)
if [ -n "$spark" ]; then
  classpath=$(printf '%s:' "$home"/study-spark/target/*.jar "$home"/study-spark/target/lib/*.jar "$home"/benchmarks/target/benchmarks-*.jar)
fi
terminal=false
[ ! -t 2 ] || terminal=true

# The Vector API is an incubator module, which makes the JVM print one warning line before anything
# else. The filter drops that line and passes on the rest as it comes.
drop_warning() {
  trap '' INT
  if IFS= read -r line; then
    case "$line" in
      "WARNING: Using incubator modules: jdk.incubator.vector") ;;
      *) printf '%s\n' "$line" ;;
    esac
  fi
  exec cat
}

# The kernels are methods that are worth compiling after a few calls already.
# TornadoVM replaces the JVM's compiler modules, with which a class data archive cannot be used; and
# without the bailout option it would run a kernel that does not compile as wrong sequential code.
jvm_options=(-XX:+UseParallelGC -XX:MaxNewSize=512m -XX:+AutoCreateSharedArchive -XX:SharedArchiveFile="$app/rectiflow.jsa"
  '-Xlog:cds*=off' '-Xlog:aot*=off' -Xshare:auto -XX:+DisplayVMOutputToStderr
  -XX:CompileCommand=quiet "-XX:CompileCommand=CompileThresholdScaling,org.rectiflow.engine.cpu.kernels.*::*,0.1")
if [ -n "$tornado" ]; then
  classpath=$classpath:$(printf '%s:' "$home"/tornado-kernels/target/tornado-kernels-*.jar)
  jvm_options=("@$tornado/tornado-argfile" -XX:MaxNewSize=512m -Dtornado.recover.bailout=false)
fi
if [ -n "$spark" ]; then
  for package in java.lang java.lang.invoke java.io java.net java.nio java.util java.util.concurrent sun.nio.ch; do
    jvm_options+=("--add-opens=java.base/$package=ALL-UNNAMED")
  done
fi

cd "$work"
# shellcheck disable=SC2086  # RECTIFLOW_JAVA_OPTS is a list of options
exec "$JAVA_HOME/bin/java" "${jvm_options[@]}" \
  --add-modules=jdk.incubator.vector --enable-native-access=ALL-UNNAMED \
  -Djava.awt.headless=true -Drectiflow.home="$home" -Drectiflow.terminal=$terminal \
  ${RECTIFLOW_JAVA_OPTS:-} \
  -cp "$classpath" org.rectiflow.pipeline.cli.Rectiflow "$@" 2> >(drop_warning >&2)
