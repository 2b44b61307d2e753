package org.rectiflow.trainer.transformer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.rectiflow.training.PromptTower.Encoder;

class PromptPartsTest {
  /** Two CLIP tokens of 3 + 4 channels in contexts of 8, one T5 token; pooled 2 + 3. */
  private static final PromptParts PARTS = new PromptParts(2, 3, 8, 3, 5, 2);

  private static final int BATCH = 2;

  private static float[] dropped(Encoder encoder, boolean pooled) {
    float[] context = new float[BATCH * 3 * 8];
    float[] vector = new float[BATCH * 5];
    Arrays.fill(context, 1);
    Arrays.fill(vector, 1);
    PARTS.drop(encoder, context, vector, 1);
    return pooled ? vector : context;
  }

  private static float[] expected(String zerosAndOnes) {
    String digits = zerosAndOnes.replace(" ", "");
    float[] values = new float[digits.length()];
    for (int i = 0; i < values.length; i++) {
      values[i] = digits.charAt(i) - '0';
    }
    return values;
  }

  @Test
  void eachEncoderIsDroppedWhereItStands() {
    String first = "11111111 11111111 11111111";
    assertThat(dropped(Encoder.CLIP_L, false))
        .containsExactly(expected(first + "00011111 00011111 11111111"));
    assertThat(dropped(Encoder.CLIP_G, false))
        .containsExactly(expected(first + "11100000 11100000 11111111"));
    assertThat(dropped(Encoder.T5, false))
        .containsExactly(expected(first + "11111111 11111111 00000000"));
    assertThat(dropped(Encoder.CLIP_L, true)).containsExactly(expected("11111 00111"));
    assertThat(dropped(Encoder.CLIP_G, true)).containsExactly(expected("11111 11000"));
    assertThat(dropped(Encoder.T5, true)).containsExactly(expected("11111 11111"));
  }
}
