package org.rectiflow.datasets.shapes;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.rectiflow.datasets.SeededRandom;

/** Lays out a scene that shows what a prompt says; what it leaves open is drawn at random. */
final class SceneLayout {
  /** Least distance to the picture's edge and between bounding boxes, in parts of the side. */
  private static final double GAP = 0.04;

  /** Cosine of the largest angle between the line through two middles and the direction named. */
  private static final double CLEARLY = 0.85;

  private static final int TRIES = 100;
  private static final int LAYOUTS = 1000;

  private final SeededRandom random;

  SceneLayout(SeededRandom random) {
    this.random = random;
  }

  /**
   * A scene for a prompt.
   *
   * @throws IllegalArgumentException if the shapes do not fit into a picture
   */
  Scene of(ShapePrompt prompt) {
    for (int i = 0; i < LAYOUTS; i++) {
      Optional<Scene> scene =
          prompt.second().isPresent() ? two(prompt) : alike(prompt.first(), prompt.place());
      if (scene.isPresent()) {
        return scene.get();
      }
    }
    throw new IllegalArgumentException(
        "the shapes of '%s' do not fit into a picture".formatted(prompt.text()));
  }

  /** One shape, or several of one kind and colour. */
  private Optional<Scene> alike(ShapePhrase phrase, Optional<Place> place) {
    ShapeColor color = phrase.color().orElseGet(() -> random.oneOf(ShapeColor.values()));
    // Four big shapes have no room.
    ShapeSize size =
        phrase
            .size()
            .orElseGet(() ->
                phrase.count() == 1
                    ? random.oneOf(ShapeSize.values())
                    : random.oneOf(ShapeSize.SMALL, ShapeSize.MEDIUM));
    List<DrawnShape> shapes = new ArrayList<>();
    for (int i = 0; i < phrase.count(); i++) {
      Optional<DrawnShape> shape = free(phrase.kind(), color, size, shapes);
      if (shape.isEmpty()
          || (place.isPresent() && !place.get().holds(shape.get().x(), shape.get().y(), 0))) {
        return Optional.empty();
      }
      shapes.add(shape.get());
    }
    return Optional.of(new Scene(shapes));
  }

  private Optional<Scene> two(ShapePrompt prompt) {
    ShapePhrase a = prompt.first();
    ShapePhrase b = prompt.second().orElseThrow();
    ShapeColor colorA = a.color().orElseGet(() -> random.oneOf(ShapeColor.values()));
    ShapeColor colorB = b.color().orElseGet(() -> random.oneOf(ShapeColor.values()));
    Optional<DrawnShape> first = free(a.kind(), colorA, sizeInPair(a), List.of());
    if (first.isEmpty()) {
      return Optional.empty();
    }
    Optional<DrawnShape> second =
        free(b.kind(), colorB, sizeInPair(b), List.of(first.get()))
            .filter(shape ->
                prompt.relation().isEmpty()
                    || clearly(prompt.relation().get(), first.get(), shape));
    return second.map(shape -> new Scene(List.of(first.get(), shape)));
  }

  private ShapeSize sizeInPair(ShapePhrase phrase) {
    return phrase.size().orElseGet(() -> random.oneOf(ShapeSize.SMALL, ShapeSize.MEDIUM));
  }

  private static boolean clearly(Relation relation, DrawnShape first, DrawnShape second) {
    double dx = first.x() - second.x();
    double dy = first.y() - second.y();
    double along =
        switch (relation) {
          case LEFT_OF -> -dx;
          case RIGHT_OF -> dx;
          case ABOVE -> -dy;
          case BELOW -> dy;
        };
    return along > CLEARLY * Math.sqrt(dx * dx + dy * dy) && first.isThere(relation, second);
  }

  /** A shape that touches none of the others. */
  private Optional<DrawnShape> free(
      ShapeKind kind, ShapeColor color, ShapeSize size, List<DrawnShape> others) {
    for (int i = 0; i < TRIES; i++) {
      double radius = random.between(size.least(), size.most());
      double edgeX = radius * kind.halfWidth() + GAP;
      double edgeY = radius * kind.halfHeight() + GAP;
      DrawnShape shape =
          new DrawnShape(
              kind,
              color,
              random.between(edgeX, 1 - edgeX),
              random.between(edgeY, 1 - edgeY),
              radius);
      if (others.stream().noneMatch(other -> other.touches(shape, GAP))) {
        return Optional.of(shape);
      }
    }
    return Optional.empty();
  }
}
