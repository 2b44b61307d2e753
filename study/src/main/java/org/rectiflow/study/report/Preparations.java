package org.rectiflow.study.report;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.rectiflow.study.plan.Cell;
import org.rectiflow.study.plan.StudyPlan;
import org.rectiflow.study.run.StudyRun;
import org.rectiflow.trainer.RunLog;

/**
 * The last validation of each preparation that was done.
 *
 * @param validations numbers by name, by the preparation's name
 */
record Preparations(Map<String, Map<String, Double>> validations) {

  /** Those in a study's folder. */
  static Preparations read(StudyPlan plan, Path folder) throws IOException {
    Map<String, Map<String, Double>> all = new LinkedHashMap<>();
    for (Map.Entry<String, Cell> one : plan.preparations().entrySet()) {
      Path log = StudyRun.preparationFolder(folder, one.getValue()).resolve("log.jsonl");
      if (Files.exists(log)) {
        Map<String, Double> last = new TreeMap<>();
        for (JsonNode line : RunLog.read(log)) {
          if (line.path("event").asText().equals("validation")) {
            last.clear();
            last.put("loss", line.path("loss").asDouble());
            line.path("details")
                .properties()
                .forEach(e -> last.put(e.getKey(), e.getValue().asDouble()));
          }
        }
        if (!last.isEmpty()) {
          all.put(one.getKey(), last);
        }
      }
    }
    return new Preparations(all);
  }
}
