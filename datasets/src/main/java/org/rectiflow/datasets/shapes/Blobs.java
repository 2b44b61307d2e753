package org.rectiflow.datasets.shapes;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** Sets of pixels, each given by its sorted indices row * width + column. */
final class Blobs {
  private final int width;
  private final int height;

  Blobs(int width, int height) {
    this.width = width;
    this.height = height;
  }

  /** Connected sets of the pixels that are set; pixels that meet at a corner are not connected. */
  List<int[]> connected(boolean[] mask) {
    boolean[] left = mask.clone();
    List<int[]> blobs = new ArrayList<>();
    int[] queue = new int[mask.length];
    for (int start = 0; start < left.length; start++) {
      if (left[start]) {
        int end = 0;
        queue[end++] = start;
        left[start] = false;
        for (int next = 0; next < end; next++) {
          for (int beside : beside(queue[next])) {
            if (left[beside]) {
              left[beside] = false;
              queue[end++] = beside;
            }
          }
        }
        int[] blob = Arrays.copyOf(queue, end);
        Arrays.sort(blob);
        blobs.add(blob);
      }
    }
    return blobs;
  }

  /** The up to four pixels that share an edge with this one. */
  int[] beside(int pixel) {
    int column = pixel % width;
    int[] beside = new int[4];
    int count = 0;
    if (column > 0) {
      beside[count++] = pixel - 1;
    }
    if (column < width - 1) {
      beside[count++] = pixel + 1;
    }
    if (pixel >= width) {
      beside[count++] = pixel - width;
    }
    if (pixel + width < width * height) {
      beside[count++] = pixel + width;
    }
    return count == 4 ? beside : Arrays.copyOf(beside, count);
  }

  boolean[] mask(int[] blob) {
    boolean[] mask = new boolean[width * height];
    for (int pixel : blob) {
      mask[pixel] = true;
    }
    return mask;
  }

  /** The pixels of a blob whose four neighbours belong to it too. */
  int[] inner(int[] blob) {
    boolean[] mask = mask(blob);
    return Arrays.stream(blob)
        .filter(pixel -> {
          int[] beside = beside(pixel);
          return beside.length == 4 && Arrays.stream(beside).allMatch(p -> mask[p]);
        })
        .toArray();
  }

  /** Gives every pixel of a blob to the nearest of some seeds, counted in steps inside the blob. */
  List<int[]> grow(int[] blob, List<int[]> seeds) {
    boolean[] free = mask(blob);
    int[] owner = new int[width * height];
    int[] queue = new int[blob.length];
    int end = 0;
    for (int s = 0; s < seeds.size(); s++) {
      for (int pixel : seeds.get(s)) {
        free[pixel] = false;
        owner[pixel] = s;
        queue[end++] = pixel;
      }
    }
    for (int next = 0; next < end; next++) {
      for (int beside : beside(queue[next])) {
        if (free[beside]) {
          free[beside] = false;
          owner[beside] = owner[queue[next]];
          queue[end++] = beside;
        }
      }
    }
    int[] reached = Arrays.copyOf(queue, end);
    Arrays.sort(reached);
    int[] sizes = new int[seeds.size()];
    for (int pixel : reached) {
      sizes[owner[pixel]]++;
    }
    List<int[]> parts = IntStream.of(sizes).mapToObj(int[]::new).toList();
    Arrays.fill(sizes, 0);
    for (int pixel : reached) {
      int s = owner[pixel];
      parts.get(s)[sizes[s]++] = pixel;
    }
    return parts;
  }
}
