package org.rectiflow.benchmarks.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.ServiceLoader;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.rectiflow.pipeline.cli.Rectiflow;
import org.rectiflow.pipeline.cli.Subcommand;
import org.rectiflow.pipeline.io.Json;
import picocli.CommandLine;

class BenchCommandTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(String... args) {
    CommandLine commandLine = Rectiflow.commandLine();
    commandLine.setOut(new PrintWriter(out, true));
    commandLine.setErr(new PrintWriter(err, true));
    return commandLine.execute(
        Stream.concat(Stream.of("bench"), Arrays.stream(args)).toArray(String[]::new));
  }

  @Test
  void aPlaceThatCannotBeWrittenIsRefusedFirst() {
    assertThat(run("--quick", "--out", "pom.xml")).isEqualTo(1);
    assertThat(err.toString()).contains("pom.xml is a file, not a folder");
    assertThat(out.toString()).isEmpty();
  }

  @Test
  void isFoundAsASubcommand() {
    assertThat(ServiceLoader.load(Subcommand.class))
        .anyMatch(command -> command instanceof BenchCommand);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--steps 0                      | --steps must be at least 1, got 0",
        "--threads 0                    | --threads must be at least 1, got 0",
        "--text-tokens 0                | --text-tokens must be at least 1",
        "--sizes 500                    | multiples of 16",
        "--sizes large                  | is no size",
        "--quick --growth               | --quick measures single kernels",
        "--quick --model x              | --quick measures single kernels",
        "--quick --steps 3              | --quick measures single kernels",
        "--model pom.xml --dtype F16    | leave it out with --model",
        "--growth --sizes 512           | leave out one",
        "--on-request                   | needs --sizes",
        "--on-request --sizes 512,1024  | one size",
        "--dtype F17                    | F17",
        "--colour                       | --colour"
      })
  void wrongFlagsAreExplained(String args, String message) {
    assertThat(run(args.split(" "))).isEqualTo(2);
    assertThat(err.toString()).contains(message);
    assertThat(out.toString()).isEmpty();
  }

  /** Four gigabytes are not written because a name was mistyped. */
  @Test
  void aModelThatIsNotThereIsNotMade(@TempDir Path folder) throws IOException {
    Path model = folder.resolve("typo");
    assertThat(run("--model", model.toString())).isNotZero();
    assertThat(err.toString())
        .contains(model + ": no such file or folder", "make-random sd3-medium " + model);
    assertThat(Files.list(folder)).isEmpty();
  }

  @Test
  void helpTeaches() {
    assertThat(run("--help")).isZero();
    assertThat(out.toString()).contains("--quick", "--growth", "Examples:", "roofline");
  }

  /** A whole run of a tiny model: one JSON object on standard output, files in the folder. */
  @Test
  void measuresAModel(@TempDir Path folder) throws IOException {
    int status =
        run(
            "--model",
            "../testdata/models/tiny-sd3",
            "--sizes",
            "32,64x32",
            "--steps",
            "1",
            "--threads",
            "1",
            "--text-tokens",
            "8",
            "--json",
            "--out",
            folder.toString());
    assertThat(err.toString()).contains("measuring 1 steps at 64x32");
    assertThat(status).isZero();
    JsonNode json = Json.parse(out.toString());
    assertThat(json.at("/sizes")).hasSize(2);
    assertThat(json.at("/sizes/1/width").asInt()).isEqualTo(64);
    assertThat(json.at("/sizes/1/seconds_per_step/median").asDouble()).isPositive();
    assertThat(json.at("/sizes/1/kernels/0/op").asText()).isNotEmpty();
    assertThat(json.at("/seconds_to_first_step").asDouble()).isPositive();
    assertThat(Files.readString(folder.resolve("bench.json")).strip())
        .isEqualTo(out.toString().strip());
    assertThat(folder.resolve("roofline-64x32.png")).isNotEmptyFile();
    assertThat(folder.resolve("growth.svg")).isNotEmptyFile();
  }
}
