package org.rectiflow.safetensors;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Decides from the rules alone whether a file is valid: a second implementation, made as unlike the
 * reader as possible. It has its own JSON, counts in BigInteger, and finds each tensor's place by
 * walking through the data instead of sorting.
 */
final class FuzzOracle {

  /** What a valid file holds: tensors as "dtype shape begin end". */
  record Content(Map<String, String> tensors, Map<String, String> metadata) {}

  private static final Map<String, Integer> BITS = new HashMap<>();

  static {
    String table =
        "BOOL 8 F4 4 F6_E2M3 6 F6_E3M2 6 U8 8 I8 8 F8_E5M2 8 F8_E4M3 8 F8_E8M0 8 F8_E4M3FNUZ 8"
            + " F8_E5M2FNUZ 8 I16 16 U16 16 F16 16 BF16 16 I32 32 U32 32 F32 32 C64 64 F64 64"
            + " I64 64 U64 64";
    String[] words = table.split(" ");
    for (int i = 0; i < words.length; i += 2) {
      BITS.put(words[i], Integer.valueOf(words[i + 1]));
    }
  }

  private record Place(String name, BigInteger begin, BigInteger end) {}

  private final Map<String, String> tensors = new TreeMap<>();
  private final Map<String, String> metadata = new TreeMap<>();
  private final List<Place> places = new ArrayList<>();

  private FuzzOracle() {}

  /**
   * The content of a valid file, or nothing.
   *
   * @param head the first bytes, at least as far as the header goes
   * @param fileLength bytes of the whole file
   */
  static Optional<Content> read(byte[] head, long fileLength) {
    byte[] present = Arrays.copyOf(head, (int) Math.min(head.length, fileLength));
    if (present.length < 8) {
      return Optional.empty();
    }
    byte[] bigEndian = new byte[8];
    for (int i = 0; i < 8; i++) {
      bigEndian[i] = present[7 - i];
    }
    BigInteger n = new BigInteger(1, bigEndian);
    if (n.compareTo(BigInteger.valueOf(100_000_000)) > 0
        || n.intValueExact() > present.length - 8) {
      return Optional.empty();
    }
    byte[] bytes = Arrays.copyOfRange(present, 8, 8 + n.intValueExact());
    String text = new String(bytes, UTF_8);
    // Decoding replaces what is malformed, so that it does not encode to the same bytes again.
    if (!Arrays.equals(text.getBytes(UTF_8), bytes)) {
      return Optional.empty();
    }
    FuzzOracle oracle = new FuzzOracle();
    return FuzzJson.parse(text)
            .filter(json -> oracle.header(json, fileLength - 8 - bytes.length))
            .isPresent()
        ? Optional.of(new Content(oracle.tensors, oracle.metadata))
        : Optional.empty();
  }

  private boolean header(Object json, long dataLength) {
    if (!(json instanceof FuzzJson.Obj object) || !object.hasDistinctNames()) {
      return false;
    }
    for (FuzzJson.Member member : object.members()) {
      boolean good =
          member.name().equals("__metadata__")
              ? metadata(member.value())
              : tensor(member.name(), member.value());
      if (!good) {
        return false;
      }
    }
    return fill(BigInteger.valueOf(dataLength));
  }

  private boolean metadata(Object value) {
    if (!(value instanceof FuzzJson.Obj object) || !object.hasDistinctNames()) {
      return false;
    }
    for (FuzzJson.Member member : object.members()) {
      if (!(member.value() instanceof String text) || !isText(text) || !isText(member.name())) {
        return false;
      }
      metadata.put(member.name(), text);
    }
    return true;
  }

  private boolean tensor(String name, Object value) {
    if (name.isEmpty() || !isText(name) || name.matches("(?s).*[\\x00-\\x1f\\x7f-\\x9f].*")) {
      return false;
    }
    if (!(value instanceof FuzzJson.Obj object)
        || !object.names().equals(Set.of("dtype", "shape", "data_offsets"))
        || object.members().size() != 3) {
      return false;
    }
    Integer bits = BITS.get(object.get("dtype") instanceof String s ? s : "");
    Optional<List<BigInteger>> shape = naturals(object.get("shape"));
    Optional<List<BigInteger>> offsets = naturals(object.get("data_offsets"));
    if (bits == null || shape.isEmpty() || offsets.isEmpty() || offsets.get().size() != 2) {
      return false;
    }
    BigInteger product = BigInteger.ONE;
    for (BigInteger dim : shape.get()) {
      product = product.multiply(dim);
      if (!fitsLong(product)) {
        return false;
      }
    }
    BigInteger begin = offsets.get().get(0);
    BigInteger end = offsets.get().get(1);
    BigInteger size = product.multiply(BigInteger.valueOf(bits));
    if (!fitsLong(size) || !size.equals(end.subtract(begin).shiftLeft(3))) {
      return false;
    }
    places.add(new Place(name, begin, end));
    tensors.put(name, object.get("dtype") + " " + shape.get() + " " + begin + " " + end);
    return true;
  }

  /** Lays tensors one after another; empty ones may lie wherever one ends. */
  private boolean fill(BigInteger dataLength) {
    Map<BigInteger, Place> startingAt = new HashMap<>();
    Set<BigInteger> empty = new HashSet<>();
    for (Place place : places) {
      if (place.begin().equals(place.end())) {
        empty.add(place.begin());
      } else if (startingAt.put(place.begin(), place) != null) {
        return false;
      }
    }
    BigInteger at = BigInteger.ZERO;
    empty.remove(at);
    while (startingAt.containsKey(at)) {
      at = startingAt.remove(at).end();
      empty.remove(at);
    }
    return startingAt.isEmpty() && empty.isEmpty() && at.equals(dataLength);
  }

  private static Optional<List<BigInteger>> naturals(Object value) {
    if (!(value instanceof List<?> list)) {
      return Optional.empty();
    }
    List<BigInteger> numbers = new ArrayList<>();
    for (Object item : list) {
      if (!(item instanceof FuzzJson.Num number) || !number.text().matches("0|[1-9][0-9]*")) {
        return Optional.empty();
      }
      BigInteger natural = new BigInteger(number.text());
      if (!fitsLong(natural)) {
        return Optional.empty();
      }
      numbers.add(natural);
    }
    return Optional.of(numbers);
  }

  private static boolean fitsLong(BigInteger number) {
    return number.bitLength() <= 63;
  }

  private static boolean isText(String text) {
    return new String(text.getBytes(UTF_8), UTF_8).equals(text);
  }
}
