package org.rectiflow.paper.output;

import java.util.List;

/**
 * What was made for a figure, table or algorithm of the paper.
 *
 * @param pictures drawn pictures
 * @param tables numbers, shown or behind the pictures
 * @param notes paragraphs a reader must see beside them
 */
public record Rendering(List<NamedPicture> pictures, List<DataTable> tables, List<String> notes) {

  /** Copies the lists. */
  public Rendering {
    pictures = List.copyOf(pictures);
    tables = List.copyOf(tables);
    notes = List.copyOf(notes);
  }
}
