package org.rectiflow.study;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Holds the arrows of ARCHITECTURE.md. */
class ArchitectureTest {
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("org.rectiflow");

  /** What each module may use, besides itself. */
  private static final Map<String, Set<String>> ARROWS =
      Map.ofEntries(
          entry("safetensors", Set.of()),
          entry("scheduler", Set.of()),
          entry("evaluation", Set.of("scheduler")),
          entry("datasets", Set.of("evaluation")),
          entry("engine", Set.of("safetensors")),
          entry("mmdit", Set.of("engine")),
          entry("backbones", Set.of("engine", "mmdit")),
          entry("encoders", Set.of("engine")),
          entry("vae", Set.of("engine")),
          entry("training", Set.of("engine", "mmdit", "encoders", "vae")),
          entry(
              "pipeline",
              Set.of("safetensors", "scheduler", "engine", "mmdit", "encoders", "vae", "training")),
          entry(
              "trainer",
              Set.of(
                  "safetensors",
                  "scheduler",
                  "evaluation",
                  "datasets",
                  "engine",
                  "mmdit",
                  "encoders",
                  "vae",
                  "training",
                  "pipeline")),
          entry("benchmarks", Set.of("safetensors", "engine", "mmdit", "pipeline")),
          entry("paper", Set.of("scheduler", "evaluation", "pipeline")),
          entry(
              "study",
              Set.of(
                  "safetensors",
                  "scheduler",
                  "evaluation",
                  "datasets",
                  "engine",
                  "mmdit",
                  "backbones",
                  "encoders",
                  "vae",
                  "training",
                  "pipeline",
                  "trainer",
                  "paper")));

  @Test
  void arrowsPointDownOnly() {
    ARROWS.forEach((module, below) -> {
      String[] others =
          ARROWS.keySet().stream()
              .filter(name -> !name.equals(module) && !below.contains(name))
              .map(name -> "org.rectiflow." + name + "..")
              .toArray(String[]::new);
      noClasses()
          .that()
          .resideInAPackage("org.rectiflow." + module + "..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(others)
          .allowEmptyShould(true)
          .check(CLASSES);
    });
  }

  /** A module that is not in the table would escape the rule. */
  @Test
  void everyModuleIsInTheTable() {
    assertThat(CLASSES)
        .extracting(c -> c.getPackageName().split("\\.", -1)[2])
        .isSubsetOf(ARROWS.keySet());
  }

  @Test
  void packagesHaveNoCycles() {
    slices().matching("org.rectiflow.(**)").should().beFreeOfCycles().check(CLASSES);
  }

  @Test
  void onlyTheTornadoBackendKnowsTornadoVm() {
    noClasses()
        .that()
        .resideOutsideOfPackage("org.rectiflow.tornado..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("uk.ac.manchester.tornado..")
        .check(CLASSES);
  }

  @Test
  void theModelsKnowNoBackend() {
    noClasses()
        .that()
        .resideInAnyPackage(
            "org.rectiflow.mmdit..",
            "org.rectiflow.backbones..",
            "org.rectiflow.encoders..",
            "org.rectiflow.vae..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("org.rectiflow.engine.cpu..", "org.rectiflow.engine.reference..")
        .check(CLASSES);
  }

  @Test
  void onlyTheCommandLineTalksToTheConsole() {
    noClasses()
        .that()
        .resideOutsideOfPackages("org.rectiflow.pipeline.cli..", "org.rectiflow.paper..")
        .should()
        .accessField(System.class, "out")
        .orShould()
        .accessField(System.class, "err")
        .check(CLASSES);
  }
}
