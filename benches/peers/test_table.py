"""The table and its verdicts, from two small files that are made up."""

import contextlib
import io
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from lines import Shape
from table import Comparison, main, page, read_gumbel, read_peers, restricted_page

HEAD = (
    "rows,categories,format,what,device_ns_min,device_ns_median,wall_ns_min,wall_ns_median,"
    "gb_per_s,note\n"
)
# 131,334,144 bytes: argmax reads 3,283 GB/s, the faster copy moves 4,000
LINES = """\
256,128256,f16,sample,1,1,1,1,,
256,128256,f32,sample,47000,48000,90000,99000,,
256,128256,f32,argmax,39000,40000,80000,90000,,
256,128256,f32,sample_rows,,,40000000,50000000,,
256,128256,f32,sample_rows cpu,,,9000000,9500000,,
256,128256,,upload,,,33000000,44000000,,
256,128256,,upload direct,,,30000000,40000000,,
256,128256,,copy,69000,70000,90000,99000,,
1000000,16,f32,sample,29000,30000,60000,70000,,
1000000,16,f32,argmax,19000,20000,50000,60000,,
1000000,16,,copy,29000,32000,60000,70000,,
10000000,16,f32,sample,,,,,,out of memory
"""
GUMBEL = "# adapter: NVIDIA Made Up\n" + HEAD + LINES
PEERS = """\
# GPU: NVIDIA Made Up, L2 of 1 bytes
# driver: 1
rows,categories,what,ns_min,ns_median,timing,note
256,128256,torch copy,65000,65667.072,cuda events,
256,128256,torch argmax,79000,80000,cuda events,
256,128256,torch.multinomial,500000,1200000,cuda events,
256,128256,jax.random.categorical,90000,100000,wall,
256,128256,jax.random.categorical,60000,72000,cupti kernels,
256,128256,flashinfer sampling_from_logits,,,,"no module, none"
1000000,16,torch.multinomial,400000,500000,cuda events,
1000000,16,jax.random.categorical,26000,27000,wall,
1000000,16,flashinfer sampling_from_logits,,,,"no module, none"
10000000,16,torch.multinomial,,,,out of memory
"""

LARGE, SMALL = Shape(256, 128_256), Shape(1_000_000, 16)


def comparison(gumbel: str = GUMBEL, peers: str = PEERS, statistic: str = "median") -> Comparison:
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder, "gumbel.csv"), Path(folder, "peers.csv")
        ours.write_text(gumbel, encoding="utf-8")
        theirs.write_text(peers, encoding="utf-8")
        return Comparison(read_gumbel(ours, statistic, ("f32", "")), read_peers(theirs, statistic))


class Table(unittest.TestCase):
    def test_ratios(self) -> None:
        made = comparison()
        self.assertEqual(made.ratio(LARGE), 1.2)
        self.assertEqual(made.ratio(SMALL), 1.5)
        self.assertEqual(comparison(statistic="min").ratio(LARGE), 47 / 39)
        # torch's copy is the faster one here, gumbel's there
        self.assertAlmostEqual(made.copy_rate(LARGE), 4000.0)
        self.assertAlmostEqual(made.copy_rate(SMALL), 4000.0)
        self.assertAlmostEqual(made.share(LARGE), 0.8208384)
        self.assertEqual(made.peer_ratio(LARGE, "torch.multinomial"), 25.0)
        self.assertEqual(made.peer_ratio(LARGE, "torch argmax"), 2.0)

    def test_the_gpus_time_counts_before_the_wall_clocks(self) -> None:
        self.assertEqual(comparison().peer_ratio(LARGE, "jax.random.categorical"), 1.5)
        lines = PEERS.splitlines(keepends=True)
        lines[6], lines[7] = lines[7], lines[6]
        made = comparison(peers="".join(lines))
        self.assertEqual(made.peer_ratio(LARGE, "jax.random.categorical"), 1.5)

    def test_table(self) -> None:
        head, _, large, small, missing = comparison().table()
        self.assertEqual(
            [cell.strip() for cell in head.strip("|").split("|")][5:],
            [
                "argmax / copy",
                "torch copy",
                "torch argmax",
                "torch.multinomial",
                "jax.random.categorical",
                "flashinfer sampling_from_logits",
            ],
        )
        self.assertEqual(
            large,
            "| 256 × 128,256 | 48.0 µs | 40.0 µs | 1.20 | 4,000 | 82% | 65.7 µs, 0.94 "
            "| 80.0 µs, 2.00 | 1.20 ms, 25.00 | 72.0 µs, 1.50 | — |",
        )
        self.assertEqual(
            small,
            "| 1,000,000 × 16 | 30.0 µs | 20.0 µs | 1.50 | 4,000 | 80% | — | — "
            "| 500 µs, 16.67 | 27.0 µs (wall), 0.90 | — |",
        )
        self.assertEqual(missing, "| 10,000,000 × 16 |" + " — |" * 10)

    def test_targets(self) -> None:
        sample, argmax, large, small = comparison().targets()[2:]
        self.assertIn("| **missed** | missed: 1,000,000 × 16 (1.50); reached: 256", sample)
        self.assertIn("not measured: 10,000,000 × 16", sample)
        # 80 % is enough, but one shape was not measured
        self.assertIn("| **not measured** | reached: 256 × 128,256 (82%), 1,000,000", argmax)
        self.assertIn("| **reached** | reached: torch.multinomial (25.00), jax", large)
        self.assertIn("; not measured: flashinfer sampling_from_logits |", large)
        self.assertIn("| **missed** | missed: jax.random.categorical (0.90)", small)

    def test_targets_all_reached(self) -> None:
        gumbel = "".join(x for x in GUMBEL.splitlines(True) if not x.startswith("10000000"))
        peers = "".join(x for x in PEERS.splitlines(True) if not x.startswith("10000000"))
        # a fifth less time at the small shape, and jax is behind again
        gumbel = gumbel.replace("29000,30000", "24000,25000")
        for line in comparison(gumbel, peers).targets()[2:]:
            self.assertIn("| **reached** |", line)

    def test_nothing_measured_is_not_reached(self) -> None:
        made = comparison(gumbel=HEAD)
        for line in made.targets()[2:]:
            self.assertIn("| **not measured** |", line)
        no_peers = "".join(PEERS.splitlines(keepends=True)[:3])
        for line in comparison(peers=no_peers).targets()[-2:]:
            self.assertIn("| **not measured** |", line)

    def test_an_argmax_is_held_against_what_a_copy_reads_and_writes(self) -> None:
        # the same times are in bench/src/markdown.rs, with the same verdicts
        for argmax, verdict, share in ((625_000, "reached", 80), (635_000, "missed", 79)):
            lines = f"256,128256,f32,argmax,{argmax},9000000,,,,\n"
            lines += "256,128256,,copy,1000000,1500000,,,,\n"
            for torch_copy in ("256,128256,torch copy,1100000,1100000,cuda events,\n", ""):
                peers = "".join(PEERS.splitlines(keepends=True)[:3]) + torch_copy
                self.assertEqual(
                    comparison(HEAD + lines, peers, "min").targets()[3],
                    "| argmax reads ≥ 80% of what the faster copy reads and writes "
                    f"| **{verdict}** | {verdict}: 256 × 128,256 ({share}%) |",
                )
        # the wall clock's time of a copy gives no bandwidth
        lines = "256,128256,f32,argmax,1,1,1,1,,\n256,128256,,copy,,,9,9,,\n"
        peers = "".join(PEERS.splitlines(keepends=True)[:3])
        self.assertIsNone(comparison(HEAD + lines, peers).share(LARGE))

    def test_minima_are_compared_unless_medians_are_asked_for(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            ours, theirs = Path(folder, "gumbel.csv"), Path(folder, "peers.csv")
            ours.write_text(GUMBEL, encoding="utf-8")
            theirs.write_text(PEERS, encoding="utf-8")
            for arguments, statistic in (([], "min"), (["--statistic", "median"], "median")):
                out = io.StringIO()
                argv = ["table.py", str(ours), str(theirs), *arguments]
                with mock.patch.object(sys, "argv", argv), contextlib.redirect_stdout(out):
                    self.assertEqual(main(), 0)
                expected = page(comparison(statistic=statistic), statistic, "f32")
                self.assertEqual(out.getvalue(), expected)

    def test_calls_from_the_host(self) -> None:
        lines = comparison().calls()
        self.assertEqual(len(lines), 3)
        self.assertEqual(lines[2], "| 256 × 128,256 | 50.0 ms | 657 million | 80% | 9.50 ms |")
        self.assertIn("\n".join(lines), page(comparison(), "median", "f32"))
        self.assertEqual(comparison(gumbel=HEAD).calls(), [])

    def test_page(self) -> None:
        text = page(comparison(), "median", "f32")
        self.assertIn("* peers: driver: 1\n", text)
        self.assertIn("* gumbel sample, 10,000,000 × 16: out of memory\n", text)
        self.assertIn(
            "* flashinfer sampling_from_logits, 256 × 128,256, 1,000,000 × 16: no module, none\n",
            text,
        )
        self.assertNotIn("is it the same", text)
        other = comparison(gumbel=GUMBEL.replace("NVIDIA Made Up", "llvmpipe"))
        self.assertIn("does not name the peers' GPU, NVIDIA Made Up", page(other, "min", "f32"))

    def test_restricted(self) -> None:
        lines = "256,128256,f32,sample,40000,50000,90000,99000,,\n"
        lines += "256,128256,f32,top-k,50000,60000,90000,99000,,\n"
        lines += "256,128256,f32,all cuts,80000,90000,90000,99000,,\n"
        start = "".join(PEERS.splitlines(keepends=True)[:3])
        peers = start + "256,128256,flashinfer top_k_top_p_sampling_from_logits,160000,200000,cuda events,\n"
        peers += '256,128256,"vllm apply_top_k_top_p, random_sample",,,,no vllm\n'
        made = comparison(HEAD + lines, peers, "min")
        head, _, large = made.restricted_table()
        self.assertIn("| gumbel all cuts | flashinfer top_k_top_p_sampling_from_logits | vllm", head)
        self.assertEqual(
            large,
            "| 256 × 128,256 | 40.0 µs | — | 50.0 µs | — | 80.0 µs | 160 µs, 2.00 | — |",
        )
        text = restricted_page(made, "min", "f32")
        self.assertIn("after top-k 50 and top-p 0.9; beside", text)
        self.assertIn("* vllm apply_top_k_top_p, random_sample, all shapes: no vllm\n", text)

    def test_another_file_is_refused(self) -> None:
        with self.assertRaisesRegex(ValueError, "no column device_ns_median"):
            comparison(gumbel=PEERS)


if __name__ == "__main__":
    unittest.main()
