"""scripts/bench-peers on made-up machines: what is missing is named, and only the GPU is timed."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts" / "bench-peers"
NVIDIA = '{"file_format_version": "1.0.0", "ICD": {"library_path": "libGLX_nvidia.so.0"}}'
LAVAPIPE = '{"file_format_version": "1.0.0", "ICD": {"library_path": "libvulkan_lvp.so"}}'


class Script(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "home").mkdir()
        self.environment = {
            "PATH": f"{self.folder}:{os.environ['PATH']}",
            "HOME": str(self.folder / "home"),
            "PYTHON": str(self.program("python", "exit 0")),
            # a gumbel that does not find the adapter, so that nothing is written
            "GUMBEL_BIN": str(self.program("gumbel", 'echo "$@" >"${0%/*}/arguments"; exit 2')),
            "VK_DRIVER_FILES": str(self.file("nvidia_icd.json", NVIDIA)),
        }

    def file(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def program(self, name: str, text: str) -> Path:
        path = self.file(name, f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path

    def refused(self) -> str:
        """What the script says; it ends with an error in every test."""
        command = ["bash", str(SCRIPT)]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(done.stdout, "")
        return done.stderr

    def test_only_the_gpu_is_timed(self) -> None:
        for gpu, adapter in (("NVIDIA H200", "H200"), ("Tesla T4", "Tesla T4")):
            self.program("nvidia-smi", f"echo {gpu}")
            self.assertIn(f'gumbel bench --adapter "{adapter}" has failed', self.refused())
            arguments = (self.folder / "arguments").read_text(encoding="utf-8")
            self.assertTrue(arguments.startswith(f"bench --adapter {adapter} --csv "), arguments)

    def test_without_nvidias_vulkan_driver_nothing_is_timed(self) -> None:
        self.program("nvidia-smi", "echo NVIDIA H200")
        emulated = self.file("lvp_icd.json", LAVAPIPE)
        for files in (str(emulated), f"{emulated}:/nowhere/nvidia_icd.json"):
            self.environment["VK_DRIVER_FILES"] = files
            message = self.refused()
            self.assertIn(f"no nvidia_icd.json is in {files}. Install", message)
            self.assertIn("libvulkan1", message)
            self.assertIn("export VK_DRIVER_FILES=/path/to/nvidia_icd.json", message)
        self.assertFalse((self.folder / "arguments").exists())

    def test_the_driver_may_be_one_of_several_or_in_a_folder(self) -> None:
        self.program("nvidia-smi", "echo NVIDIA H200")
        nvidia = self.environment["VK_DRIVER_FILES"]
        emulated = self.file("lvp_icd.json", LAVAPIPE)
        folder = self.folder / "home" / ".local" / "share" / "vulkan" / "icd.d"
        folder.mkdir(parents=True)
        (folder / "nvidia_icd.json").write_text(NVIDIA, encoding="utf-8")
        for files in (f"{emulated}:{nvidia}", str(folder), ""):
            self.environment["VK_DRIVER_FILES"] = files
            self.assertIn("has failed", self.refused())

    def test_without_a_gpu(self) -> None:
        self.program("nvidia-smi", "echo no devices; exit 6")
        self.assertIn("nvidia-smi finds no GPU: no devices", self.refused())


if __name__ == "__main__":
    unittest.main()
