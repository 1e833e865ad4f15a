"""Fixtures of all tests. What needs a Vulkan device fails without one: a software driver is enough."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from pathlib import Path
from typing import Callable, Iterator

import numpy as np
import pytest
import reprise as rp

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def device() -> rp.Device:
    return rp.device()


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """What a test leaves is collected within it, so that a crash is its own."""
    yield
    gc.collect()


@pytest.fixture
def python(tmp_path: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Runs a program in an interpreter of its own, which must end well: what a crash would end is not ours."""
    def run(source: str, code: int = 0, **environment: str) -> "subprocess.CompletedProcess[str]":
        script = tmp_path / "script.py"
        script.write_text(source)
        result = subprocess.run([sys.executable, "-X", "faulthandler", "-W", "error", str(script)],
                                capture_output=True, text=True, timeout=120, cwd=tmp_path,
                                env={**os.environ, **environment}, check=False)
        assert result.returncode == code, f"exit {result.returncode}\n{result.stdout}\n{result.stderr}"
        return result

    return run
