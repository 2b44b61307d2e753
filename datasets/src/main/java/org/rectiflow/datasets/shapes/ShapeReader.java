package org.rectiflow.datasets.shapes;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import org.rectiflow.evaluation.PixelImage;

/**
 * Says what is in a picture of the shapes world. What differs from the near-white ground falls into
 * connected blobs; each is compared with the ideal shapes by the overlap of coverages, which soft
 * edges and noise change little. A blob that resembles none is taken apart, by colour or where it
 * is thin, if its parts resemble shapes better.
 */
public final class ShapeReader {
  /** Larger pictures are reduced to this side first. */
  private static final int SIDE = 96;

  /** Distance in RGB, each in [0, 1], from which a pixel is not ground. */
  private static final double FOREGROUND = 0.18;

  /** Least area of a shape, in parts of the picture; the smallest star drawn has three times it. */
  private static final double LEAST_AREA = 0.003;

  /** Overlap from which a blob is a shape without further question. */
  private static final double GOOD = 0.85;

  /** Overlap below which a blob is no shape. */
  private static final double POOR = 0.68;

  /** What taking a blob apart must gain. */
  private static final double GAIN = 0.05;

  /** More than sums of a few numbers below 1 are off. */
  private static final double ROUNDING = 1e-9;

  /** Parts beyond these are crumbs of something else. */
  private static final int MOST_PARTS = 6;

  private static final int EROSIONS = 6;

  /** Coverages above which blurred shapes may come apart. */
  private static final double[] LEVELS = {0.5, 0.7, 0.85};

  /** Least share of a blob's inner pixels that makes another colour a part of its own. */
  private static final double SHARE = 0.15;

  private final PixelImage picture;
  private final double[] ground;
  private final boolean[] foreground;
  private final Blobs blobs;
  private final int leastArea;

  private ShapeReader(PixelImage picture) {
    this.picture = picture;
    int pixels = picture.width() * picture.height();
    ground = ground(picture);
    foreground = new boolean[pixels];
    for (int i = 0; i < pixels; i++) {
      foreground[i] = distanceFromGround(i) > FOREGROUND;
    }
    blobs = new Blobs(picture.width(), picture.height());
    leastArea = (int) Math.ceil(LEAST_AREA * pixels);
  }

  /**
   * The shapes in a picture, from top to bottom.
   *
   * @param picture RGB with values in [0, 1]
   * @throws IllegalArgumentException if the picture has another number of channels
   */
  public static List<SeenShape> read(PixelImage picture) {
    if (picture.channels() != 3) {
      throw new IllegalArgumentException(
          "shapes are read from RGB pictures, found %d channels".formatted(picture.channels()));
    }
    return new ShapeReader(Shrink.to(picture, SIDE)).shapes();
  }

  private List<SeenShape> shapes() {
    return blobs.connected(foreground).stream()
        .filter(blob -> blob.length >= leastArea)
        .flatMap(blob -> explain(blob).stream())
        .sorted(Comparator.comparingDouble(SeenShape::y).thenComparingDouble(SeenShape::x))
        .toList();
  }

  /** The blob as one shape, or as several. */
  private List<SeenShape> explain(int[] blob) {
    SeenShape whole = see(blob);
    if (whole.fit() >= GOOD) {
      return List.of(whole);
    }
    List<SeenShape> best = List.of(whole);
    double bestFit = whole.fit() + GAIN;
    List<List<int[]>> ways = new ArrayList<>();
    ways.add(byColor(blob));
    int[] core = blob;
    for (int i = 0; i < EROSIONS; i++) {
      core = blobs.inner(core);
      addGrown(ways, blob, core);
    }
    double[] color = color(blob);
    for (double level : LEVELS) {
      int[] dense = Arrays.stream(blob).filter(p -> share(p, color) > level).toArray();
      addGrown(ways, blob, dense);
    }
    for (List<int[]> way : ways) {
      List<int[]> large = way.stream().filter(part -> part.length >= leastArea).toList();
      if (large.size() < 2 || large.size() > MOST_PARTS) {
        continue;
      }
      List<SeenShape> parts = seeAll(large, bestFit);
      double fit = parts.stream().mapToDouble(SeenShape::fit).average().orElse(0);
      if (fit > bestFit) {
        best = parts;
        bestFit = fit;
      }
    }
    return best;
  }

  /**
   * The parts as shapes; none as soon as one resembles no shape, or their mean fit cannot be more
   * than {@code least} any longer. Noise is often taken apart in many ways, and fitting shapes is
   * most of the work.
   */
  private List<SeenShape> seeAll(List<int[]> parts, double least) {
    List<SeenShape> seen = new ArrayList<>();
    double most = parts.size();
    for (int[] part : parts) {
      SeenShape shape = see(part);
      seen.add(shape);
      most -= 1 - shape.fit();
      if (shape.fit() < POOR || most < parts.size() * least - ROUNDING) {
        return List.of();
      }
    }
    return seen;
  }

  /** The connected parts of a core, grown back to the whole blob. */
  private void addGrown(List<List<int[]>> ways, int[] blob, int[] core) {
    List<int[]> seeds = blobs.connected(blobs.mask(core));
    if (seeds.size() > 1) {
      ways.add(blobs.grow(blob, seeds));
    }
  }

  private SeenShape see(int[] blob) {
    double[] color = color(blob);
    Coverage coverage = coverage(blob, color);
    ShapeFit fit = ShapeFit.best(coverage.alpha(), coverage.width(), coverage.box());
    return new SeenShape(
        fit.overlap() >= POOR ? Optional.of(fit.kind()) : Optional.empty(),
        ColorNames.of(color[0], color[1], color[2]),
        (coverage.left() + fit.x()) / picture.width(),
        (coverage.top() + fit.y()) / picture.height(),
        2 * fit.halfWidth() / picture.width(),
        2 * fit.halfHeight() / picture.height(),
        fit.overlap());
  }

  /** Mean of the half of the inner pixels that is farthest from the ground. */
  private double[] color(int[] blob) {
    int[] inner = blobs.inner(blob);
    int[] pixels = inner.length >= leastArea / 2 ? inner : blob;
    double[] distances = Arrays.stream(pixels).mapToDouble(this::distanceFromGround).toArray();
    double[] sorted = distances.clone();
    Arrays.sort(sorted);
    double median = sorted[sorted.length / 2];
    double[] sum = new double[3];
    int count = 0;
    for (int i = 0; i < pixels.length; i++) {
      if (distances[i] >= median) {
        count++;
        for (int channel = 0; channel < 3; channel++) {
          sum[channel] += value(channel, pixels[i]);
        }
      }
    }
    for (int channel = 0; channel < 3; channel++) {
      sum[channel] /= count;
    }
    return sum;
  }

  /** Parts of different colours. Soft edges go to the colour that they can be a mixture of. */
  private List<int[]> byColor(int[] blob) {
    int[] inner = blobs.inner(blob);
    Map<ShapeColor, List<Integer>> named = new HashMap<>();
    for (int pixel : inner) {
      ColorNames.of(value(0, pixel), value(1, pixel), value(2, pixel))
          .ifPresent(name -> named.computeIfAbsent(name, _ -> new ArrayList<>()).add(pixel));
    }
    List<double[]> colors =
        Arrays.stream(ShapeColor.values())
            .map(name -> named.getOrDefault(name, List.of()))
            .filter(pixels -> pixels.size() >= Math.max(SHARE * inner.length, leastArea / 4.0))
            .map(pixels -> {
              int[] own = pixels.stream().mapToInt(Integer::intValue).toArray();
              return color(own);
            })
            .toList();
    List<int[]> parts = new ArrayList<>();
    for (double[] color : colors) {
      boolean[] mask = new boolean[foreground.length];
      for (int pixel : blob) {
        mask[pixel] = nearestLine(pixel, colors) == color;
      }
      parts.addAll(blobs.connected(mask));
    }
    return parts;
  }

  /** The colour whose mixtures with the ground come nearest to a pixel. */
  private double[] nearestLine(int pixel, List<double[]> colors) {
    ToDoubleFunction<double[]> distance =
        color -> {
          double share = share(pixel, color);
          double sum = 0;
          for (int channel = 0; channel < 3; channel++) {
            double mixed = ground[channel] + share * (color[channel] - ground[channel]);
            sum += (value(channel, pixel) - mixed) * (value(channel, pixel) - mixed);
          }
          return sum;
        };
    return colors.stream().min(Comparator.comparingDouble(distance)).orElseThrow();
  }

  /** Which share of a pixel is of a colour if the rest is ground. */
  private double share(int pixel, double[] color) {
    double dot = 0;
    double square = 0;
    for (int channel = 0; channel < 3; channel++) {
      double full = color[channel] - ground[channel];
      dot += full * (value(channel, pixel) - ground[channel]);
      square += full * full;
    }
    return Math.clamp(dot / square, 0, 1);
  }

  /**
   * How much of each pixel a blob covers.
   *
   * @param left column of the first pixel
   * @param top row of the first pixel
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Coverage(float[] alpha, int width, int left, int top) {

    /** Edges at half coverage: left, top, right, bottom. */
    double[] box() {
      int height = alpha.length / width;
      float[] columns = new float[width];
      float[] rows = new float[height];
      for (int i = 0; i < alpha.length; i++) {
        columns[i % width] = Math.max(columns[i % width], alpha[i]);
        rows[i / width] = Math.max(rows[i / width], alpha[i]);
      }
      return new double[] {first(columns), first(rows), last(columns), last(rows)};
    }

    private static double first(float[] most) {
      int i = 0;
      while (i < most.length - 1 && most[i] < 0.5f) {
        i++;
      }
      return i + (1 - most[i]) - (i > 0 ? most[i - 1] : 0);
    }

    private static double last(float[] most) {
      int i = most.length - 1;
      while (i > 0 && most[i] < 0.5f) {
        i--;
      }
      return i + most[i] + (i < most.length - 1 ? most[i + 1] : 0);
    }
  }

  /** Coverage of the blob and of the faint pixels around it, in its bounding box and a margin. */
  private Coverage coverage(int[] blob, double[] color) {
    int width = picture.width();
    int margin = 2;
    int left = Math.max(0, Arrays.stream(blob).map(p -> p % width).min().orElseThrow() - margin);
    int right =
        Math.min(width - 1, Arrays.stream(blob).map(p -> p % width).max().orElseThrow() + margin);
    int top = Math.max(0, blob[0] / width - margin);
    int bottom = Math.min(picture.height() - 1, blob[blob.length - 1] / width + margin);
    int columns = right - left + 1;
    float[] alpha = new float[columns * (bottom - top + 1)];
    for (int pixel : blob) {
      alpha[(pixel / width - top) * columns + pixel % width - left] = (float) share(pixel, color);
      for (int beside : blobs.beside(pixel)) {
        if (!foreground[beside]) {
          alpha[(beside / width - top) * columns + beside % width - left] =
              (float) share(beside, color);
        }
      }
    }
    return new Coverage(alpha, columns, left, top);
  }

  private double distanceFromGround(int pixel) {
    double sum = 0;
    for (int channel = 0; channel < 3; channel++) {
      double d = value(channel, pixel) - ground[channel];
      sum += d * d;
    }
    return Math.sqrt(sum);
  }

  private double value(int channel, int pixel) {
    return picture.data()[channel * foreground.length + pixel];
  }

  /** Median of the light pixels; white where there are hardly any. */
  private static double[] ground(PixelImage picture) {
    int pixels = picture.width() * picture.height();
    float[] data = picture.data();
    int[] light = new int[pixels];
    int count = 0;
    for (int i = 0; i < pixels; i++) {
      if (Math.min(data[i], Math.min(data[pixels + i], data[2 * pixels + i])) > 0.85f) {
        light[count++] = i;
      }
    }
    double[] ground = {
      ShapeColor.GROUND / 255.0, ShapeColor.GROUND / 255.0, ShapeColor.GROUND / 255.0
    };
    if (count >= pixels / 20) {
      for (int channel = 0; channel < 3; channel++) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
          values[i] = data[channel * pixels + light[i]];
        }
        Arrays.sort(values);
        ground[channel] = values[count / 2];
      }
    }
    return ground;
  }
}
