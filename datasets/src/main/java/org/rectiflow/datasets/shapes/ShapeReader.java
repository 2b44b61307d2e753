package org.rectiflow.datasets.shapes;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

  private final GroundedPicture picture;
  private final Blobs blobs;
  private final int leastArea;

  private ShapeReader(PixelImage picture) {
    this.picture = new GroundedPicture(picture);
    blobs = new Blobs(picture.width(), picture.height());
    leastArea = (int) Math.ceil(LEAST_AREA * (picture.width() * picture.height()));
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
    return blobs.connected(picture.foreground()).stream()
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
      int[] dense = Arrays.stream(blob).filter(p -> picture.share(p, color) > level).toArray();
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
    Coverage coverage = Coverage.of(blob, color, picture, blobs);
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
    double[] distances = Arrays.stream(pixels).mapToDouble(picture::distance).toArray();
    double[] sorted = distances.clone();
    Arrays.sort(sorted);
    double median = sorted[sorted.length / 2];
    double[] sum = new double[3];
    int count = 0;
    for (int i = 0; i < pixels.length; i++) {
      if (distances[i] >= median) {
        count++;
        for (int channel = 0; channel < 3; channel++) {
          sum[channel] += picture.value(channel, pixels[i]);
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
      ColorNames.of(picture.value(0, pixel), picture.value(1, pixel), picture.value(2, pixel))
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
      boolean[] mask = new boolean[picture.width() * picture.height()];
      for (int pixel : blob) {
        mask[pixel] = nearestLine(pixel, colors) == color;
      }
      parts.addAll(blobs.connected(mask));
    }
    return parts;
  }

  /** The colour whose mixtures with the ground come nearest to a pixel. */
  private double[] nearestLine(int pixel, List<double[]> colors) {
    return colors.stream()
        .min(Comparator.comparingDouble((double[] color) -> picture.distance(pixel, color)))
        .orElseThrow();
  }
}
