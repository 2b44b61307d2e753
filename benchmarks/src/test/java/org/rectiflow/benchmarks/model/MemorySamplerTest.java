package org.rectiflow.benchmarks.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class MemorySamplerTest {
  @Test
  void readsTheKindsOfMemoryApart() {
    List<String> status =
        List.of(
            "VmRSS:\t 5000 kB", "RssAnon:\t   1000 kB", "RssFile:\t   4000 kB", "RssShmem:\t 0 kB");
    assertThat(MemorySampler.parse(status))
        .contains(new MemorySampler.Memory(1_024_000, 4_096_000));
  }

  @Test
  void saysNothingWhereTheSystemDoesNotTell() {
    assertThat(MemorySampler.parse(List.of("VmRSS:\t 5000 kB"))).isEmpty();
  }
}
