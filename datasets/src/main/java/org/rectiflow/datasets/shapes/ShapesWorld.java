package org.rectiflow.datasets.shapes;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.rectiflow.datasets.Dataset;
import org.rectiflow.datasets.Example;
import org.rectiflow.datasets.Fingerprint;
import org.rectiflow.datasets.SeededRandom;
import org.rectiflow.evaluation.GenEval;

/**
 * Pictures of coloured shapes with captions, drawn from a seed. Example {@code i} follows from the
 * seed and {@code i} alone, on every machine bit for bit. The six categories are equally frequent.
 */
public final class ShapesWorld implements Dataset {
  /** Side of the pictures that the bundled model knows. */
  public static final int DEFAULT_RESOLUTION = 64;

  private static final int LEAST_RESOLUTION = 32;
  private static final int MOST_RESOLUTION = 4096;

  /** Part of the fingerprint; to be raised when the same seed gives other pictures. */
  private static final int VERSION = 1;

  /** Which captions a world draws. */
  public enum Split {
    /** All but the held-out ones. */
    TRAINING,
    /** Those that {@link HeldOut} keeps for evaluation. */
    HELD_OUT
  }

  /**
   * What decides a world.
   *
   * @param seed any number
   * @param size number of examples
   * @param resolution side of the square pictures in pixels, 32 to 4096
   * @param tasks the categories to draw, in GenEval's order
   * @param captions how captions are mixed
   * @param split which captions are drawn
   */
  public record Settings(
      long seed,
      int size,
      int resolution,
      Set<GenEval.Task> tasks,
      CaptionMix captions,
      Split split) {
    /**
     * Refuses what cannot be drawn.
     *
     * @throws IllegalArgumentException for no examples, no categories, pictures of fewer than 32
     *     pixels or more than 4096, or held-out captions that are not plain
     */
    public Settings {
      Objects.requireNonNull(captions);
      if (size < 1) {
        throw new IllegalArgumentException("a world needs at least one example, found " + size);
      }
      if (resolution < LEAST_RESOLUTION || resolution > MOST_RESOLUTION) {
        throw new IllegalArgumentException(
            "pictures of the shapes world need a side of at least %d pixels and at most %d, found %d"
                .formatted(LEAST_RESOLUTION, MOST_RESOLUTION, resolution));
      }
      if (tasks.isEmpty()) {
        throw new IllegalArgumentException("a world needs at least one of GenEval's categories");
      }
      if (split == Split.HELD_OUT && !captions.equals(CaptionMix.PLAIN)) {
        throw new IllegalArgumentException(
            "held-out captions are plain; rich and poor ones are for training");
      }
      tasks = Set.copyOf(tasks);
    }

    /** A world for training with plain captions in all categories, 64 x 64 pixels. */
    public static Settings training(long seed, int size) {
      return new Settings(
          seed,
          size,
          DEFAULT_RESOLUTION,
          EnumSet.allOf(GenEval.Task.class),
          CaptionMix.PLAIN,
          Split.TRAINING);
    }

    /** The same with the captions kept for evaluation. */
    public static Settings heldOut(long seed, int size) {
      return training(seed, size).with(Split.HELD_OUT);
    }

    /** The same world with other captions. */
    public Settings with(CaptionMix other) {
      return new Settings(seed, size, resolution, tasks, other, split);
    }

    /** The same world of the other captions. */
    public Settings with(Split other) {
      return new Settings(seed, size, resolution, tasks, captions, other);
    }

    /** The same world in pictures of another size. */
    public Settings withResolution(int other) {
      return new Settings(seed, size, other, tasks, captions, split);
    }

    /** The same world with other categories only. */
    public Settings with(Set<GenEval.Task> other) {
      return new Settings(seed, size, resolution, other, captions, split);
    }
  }

  /**
   * An example before it is painted.
   *
   * @param prompt what was asked for; it belongs to one category
   * @param scene what was drawn for it
   * @param caption what is said about it
   */
  public record Drawn(ShapePrompt prompt, Scene scene, String caption) {}

  private final Settings settings;
  private final List<GenEval.Task> tasks;
  private final Map<GenEval.Task, List<ShapePrompt>> prompts = new EnumMap<>(GenEval.Task.class);

  public ShapesWorld(Settings settings) {
    this.settings = settings;
    tasks = Arrays.stream(GenEval.Task.values()).filter(settings.tasks()::contains).toList();
    for (GenEval.Task task : tasks) {
      prompts.put(
          task,
          switch (settings.split()) {
            case TRAINING -> HeldOut.all(task).stream().filter(p -> !HeldOut.contains(p)).toList();
            case HELD_OUT -> HeldOut.prompts(task);
          });
    }
  }

  /** What decides this world. */
  public Settings settings() {
    return settings;
  }

  @Override
  public int size() {
    return settings.size();
  }

  @Override
  public Example get(int index) {
    Drawn drawn = drawn(index);
    return new Example(
        "shapes-%d-%d".formatted(settings.seed(), index),
        drawn.caption(),
        drawn.scene().paint(settings.resolution()));
  }

  /**
   * Prompt, scene and caption of an example.
   *
   * @throws IndexOutOfBoundsException unless 0 &lt;= index &lt; size
   */
  public Drawn drawn(int index) {
    Objects.checkIndex(index, settings.size());
    SeededRandom random = new SeededRandom(settings.seed(), index);
    SceneLayout layout = new SceneLayout(random);
    List<ShapePrompt> choices = prompts.get(tasks.get(random.below(tasks.size())));
    double style = random.nextDouble();
    while (true) {
      ShapePrompt prompt = choices.get(random.below(choices.size()));
      Scene scene = layout.of(prompt);
      CaptionMix mix = settings.captions();
      if (style >= mix.rich() + mix.poor() + mix.partial()) {
        return new Drawn(prompt, scene, prompt.text());
      }
      if (style >= mix.rich() && style < mix.rich() + mix.poor()) {
        return new Drawn(prompt, scene, CaptionMix.poor(prompt));
      }
      // What is added or left out can make a caption a held-out one; then another picture is drawn.
      ShapePrompt said =
          style < mix.rich()
              ? CaptionMix.rich(prompt, scene)
              : CaptionMix.partial(prompt, scene, random);
      if (!HeldOut.contains(said)) {
        return new Drawn(prompt, scene, said.text());
      }
    }
  }

  @Override
  public String fingerprint() {
    Fingerprint print = new Fingerprint().add("shapes").add(VERSION);
    print.add(settings.seed()).add(settings.size()).add(settings.resolution());
    tasks.forEach(task -> print.add(task.name()));
    print.add(settings.captions().rich()).add(settings.captions().poor());
    if (settings.captions().partial() > 0) { // worlds without them keep the name they had
      print.add(settings.captions().partial());
    }
    return print.add(settings.split().name()).hex();
  }
}
