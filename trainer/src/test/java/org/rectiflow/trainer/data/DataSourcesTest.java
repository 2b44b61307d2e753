package org.rectiflow.trainer.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rectiflow.datasets.Dataset;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.trainer.config.RunFile;
import org.rectiflow.trainer.config.Settings;

class DataSourcesTest {
  @TempDir Path temp;

  private static Settings settings(String... lines) {
    return RunFile.parse("run.toml", String.join("\n", lines)).settings(DataKeys.ALL);
  }

  private static List<String> ids(Dataset data) throws IOException {
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < data.size(); i++) {
      ids.add(data.get(i).id());
    }
    return ids;
  }

  private Path folder(int pictures) throws IOException {
    Path folder = Files.createDirectories(temp.resolve("pictures"));
    StringBuilder metadata = new StringBuilder();
    for (int i = 0; i < pictures; i++) {
      BufferedImage image = new BufferedImage(20, 10, BufferedImage.TYPE_INT_RGB);
      ImageIO.write(image, "png", folder.resolve(i + ".png").toFile());
      metadata.append("{\"file_name\": \"%d.png\", \"text\": \"number %d\"}\n".formatted(i, i));
    }
    Files.writeString(folder.resolve("metadata.jsonl"), metadata);
    return folder;
  }

  @Test
  void aFolderIsPartedTheSameWayEveryTime() throws IOException {
    Settings settings =
        settings(
            "data.source = 'folder'",
            "data.folder = '%s'".formatted(folder(10)),
            "data.size = 16",
            "data.held_out = 0.21");
    Dataset training = DataSources.training(settings);
    Dataset heldOut = DataSources.heldOut(settings, 3);
    assertThat(training.size()).isEqualTo(7);
    assertThat(heldOut.size()).isEqualTo(3);
    TreeSet<String> all = new TreeSet<>(ids(training));
    all.addAll(ids(heldOut));
    assertThat(all).hasSize(10);
    assertThat(ids(DataSources.heldOut(settings, 3))).isEqualTo(ids(heldOut));
    assertThat(training.get(0).picture().width()).isEqualTo(16);
    assertThat(training.fingerprint()).isNotEqualTo(heldOut.fingerprint());
    assertThatThrownBy(() -> DataSources.heldOut(settings, 4))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "run.toml, line 4: data.held_out: it keeps 3 of 10 examples for validation, but validation.samples asks for 4; keep more or ask for fewer");
  }

  @Test
  void aCaptionWithoutPictureNamesFileAndLine() throws IOException {
    Path folder = folder(3);
    Files.delete(folder.resolve("1.png"));
    assertThatThrownBy(() ->
            DataSources.training(
                settings("data.source = 'folder'", "data.folder = '%s'".formatted(folder))))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("run.toml, line 2: data.folder")
        .hasMessageContaining("metadata.jsonl, line 2: a caption without a picture")
        .hasMessageContaining("1.png");
  }

  @Test
  void missingFilesAreNamedWithTheirKey() {
    assertThatThrownBy(() ->
            DataSources.training(
                settings("data.source = 'folder'", "data.folder = '/no/such/folder'")))
        .hasMessageContaining("run.toml, line 2: data.folder: there is no folder /no/such/folder");
    assertThatThrownBy(() -> DataSources.training(settings("data.source = 'folder'")))
        .hasMessage("run.toml: data.folder: data.source = \"folder\" needs it; name a folder");
    assertThatThrownBy(() ->
            DataSources.training(
                settings("data.source = 'idx'", "data.pictures = 'x'", "data.labels = 'y'")))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("line 2: data.pictures");
    assertThatThrownBy(() -> DataSources.training(settings("data.folder = 'pictures'")))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "run.toml, line 1: data.folder: it is not read, since data.source is \"shapes\"; set data.source = \"folder\", or take data.folder out");
    assertThatThrownBy(() -> DataSources.training(settings("data.size = 16")))
        .hasMessageContaining("run.toml, line 1: data.size");
  }
}
