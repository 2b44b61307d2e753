package org.rectiflow.safetensors;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** JSON by the grammar of RFC 8259, for {@link FuzzOracle}: slow, small, and no one else's. */
final class FuzzJson {

  record Num(String text) {}

  record Member(String name, Object value) {}

  record Obj(List<Member> members) {
    Set<String> names() {
      Set<String> names = new HashSet<>();
      members.forEach(member -> names.add(member.name()));
      return names;
    }

    boolean hasDistinctNames() {
      return names().size() == members.size();
    }

    Object get(String name) {
      for (Member member : members) {
        if (member.name().equals(name)) {
          return member.value();
        }
      }
      return null;
    }
  }

  /** No valid header is deeper than header, entry, array, number. */
  private static final int DEEPEST = 5;

  private static final Pattern NUMBER =
      Pattern.compile("-?+(?:0|[1-9][0-9]*+)(?:\\.[0-9]++)?+(?:[eE][+-]?+[0-9]++)?+");

  private static final class Wrong extends Exception {
    private static final long serialVersionUID = 1L;
  }

  private final String text;
  private int at;

  private FuzzJson(String text) {
    this.text = text;
  }

  /**
   * Obj, List, String, Num, Boolean, or "null" as a Character; nothing when the text is not JSON.
   */
  static Optional<Object> parse(String text) {
    FuzzJson json = new FuzzJson(text);
    try {
      Object value = json.value(0);
      json.space();
      return json.at == text.length() ? Optional.of(value) : Optional.empty();
    } catch (Wrong _) {
      return Optional.empty();
    }
  }

  private char peek() throws Wrong {
    if (at == text.length()) {
      throw new Wrong();
    }
    return text.charAt(at);
  }

  private void space() {
    while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
      at++;
    }
  }

  private void expect(String word) throws Wrong {
    if (!text.startsWith(word, at)) {
      throw new Wrong();
    }
    at += word.length();
  }

  private Object value(int depth) throws Wrong {
    space();
    if (depth > DEEPEST) {
      throw new Wrong();
    }
    return switch (peek()) {
      case '{' -> object(depth);
      case '[' -> array(depth);
      case '"' -> string();
      case 't' -> word("true", true);
      case 'f' -> word("false", false);
      case 'n' -> word("null", 'n');
      default -> number();
    };
  }

  private Object word(String word, Object value) throws Wrong {
    expect(word);
    return value;
  }

  private Num number() throws Wrong {
    Matcher number = NUMBER.matcher(text).region(at, text.length());
    if (!number.lookingAt()) {
      throw new Wrong();
    }
    at = number.end();
    return new Num(number.group());
  }

  private Obj object(int depth) throws Wrong {
    List<Member> members = new ArrayList<>();
    expect("{");
    space();
    if (peek() == '}') {
      at++;
      return new Obj(members);
    }
    while (true) {
      space();
      String name = string();
      space();
      expect(":");
      members.add(new Member(name, value(depth + 1)));
      space();
      if (peek() == '}') {
        at++;
        return new Obj(members);
      }
      expect(",");
    }
  }

  private List<Object> array(int depth) throws Wrong {
    List<Object> items = new ArrayList<>();
    expect("[");
    space();
    if (peek() == ']') {
      at++;
      return items;
    }
    while (true) {
      items.add(value(depth + 1));
      space();
      if (peek() == ']') {
        at++;
        return items;
      }
      expect(",");
    }
  }

  private String string() throws Wrong {
    expect("\"");
    StringBuilder out = new StringBuilder();
    while (true) {
      char c = peek();
      at++;
      if (c == '"') {
        return out.toString();
      }
      if (c < ' ') {
        throw new Wrong();
      }
      out.append(c == '\\' ? escaped() : c);
    }
  }

  private char escaped() throws Wrong {
    char c = peek();
    at++;
    int simple = "\"\\/bfnrt".indexOf(c);
    if (simple >= 0) {
      return "\"\\/\b\f\n\r\t".charAt(simple);
    }
    if (c != 'u' || !text.substring(at).matches("(?s)[0-9a-fA-F]{4}.*")) {
      throw new Wrong();
    }
    char unit = (char) Integer.parseInt(text.substring(at, at + 4), 16);
    at += 4;
    return unit;
  }
}
