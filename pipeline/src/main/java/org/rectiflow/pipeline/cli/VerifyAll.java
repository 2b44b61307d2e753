package org.rectiflow.pipeline.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.rectiflow.engine.Backend;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.verify.ClipPairGoldens;
import org.rectiflow.pipeline.verify.Comparison;
import org.rectiflow.pipeline.verify.ComparisonGroup;
import org.rectiflow.pipeline.verify.GoldenPair;
import org.rectiflow.pipeline.verify.SamplingGoldens;
import org.rectiflow.pipeline.verify.Verification;
import org.rectiflow.safetensors.TensorSource;

/** Every golden file of the repository's {@code testdata}. */
final class VerifyAll {
  private final Path testdata;
  private final Backend backend;
  private final PrintWriter out;
  private int compared;
  private int failed;

  VerifyAll(Path testdata, Backend backend, PrintWriter out) {
    this.testdata = testdata;
    this.backend = backend;
    this.out = out;
  }

  /** Compares everything and prints it; answers whether all of it is within tolerance. */
  boolean run() throws Exception {
    VerifyLines.heading(out, "golden file: model             tensors");
    // What one model could not answer another has to.
    Map<Path, Set<String>> unanswered = new LinkedHashMap<>();
    for (GoldenPair pair : GoldenPair.ofTestdata(testdata)) {
      Set<String> left = compare(pair);
      unanswered.merge(
          pair.golden(),
          left,
          (a, b) -> {
            a.retainAll(b);
            return a;
          });
    }
    Path golden = testdata.resolve("golden");
    show(
        "tiny-clip.safetensors",
        ClipPairGoldens.of(golden.resolve("tiny-clip.safetensors"), backend));
    show("schedulers.json", SamplingGoldens.schedules(golden.resolve("schedulers.json")));
    show("torch_randn.json", SamplingGoldens.random(golden.resolve("torch_randn.json")));
    show("training_utils.json", SamplingGoldens.training(golden.resolve("training_utils.json")));
    int missing = 0;
    for (Map.Entry<Path, Set<String>> file : unanswered.entrySet()) {
      missing += file.getValue().size();
      file.getValue().forEach(name -> out.printf("not compared: %s of %s%n", name, file.getKey()));
    }
    out.printf(
        "%d tensors compared, %d beyond tolerance, %d not compared%n", compared, failed, missing);
    return failed == 0 && missing == 0;
  }

  /** Returns the names that were not compared. */
  private Set<String> compare(GoldenPair pair) throws Exception {
    try (TensorSource source = TensorSource.open(pair.golden());
        Checkpoint checkpoint = pair.open()) {
      Verification result =
          checkpoint.guarded(() -> Verification.of(source, checkpoint, backend, _ -> {}));
      show(pair.title(testdata), result.comparisons());
      Set<String> left = new TreeSet<>(source.tensors().keySet());
      result.comparisons().forEach(c -> left.remove(c.name()));
      return left;
    }
  }

  private void show(String title, List<Comparison> comparisons) {
    out.println(title);
    ComparisonGroup.of(comparisons).forEach(group -> VerifyLines.print(out, group));
    List<Comparison> wrong = comparisons.stream().filter(c -> !c.passes()).toList();
    wrong.forEach(c -> VerifyLines.print(out, c));
    compared += comparisons.size();
    failed += wrong.size();
  }
}
