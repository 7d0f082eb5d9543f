"""On what, with what and from which state of the project were these numbers made?"""
import ctypes
import datetime
import os
import platform
import re
import subprocess
from importlib import metadata
from pathlib import Path

import numpy as np

from minigrad import backend


def provenance():
    """{"commit", "date", "machine", "blas", "versions"}; what cannot be told is None."""
    now = datetime.datetime.now().astimezone()
    return dict(commit=commit(), date=now.isoformat("T", "seconds"), machine=machine(),
                blas=blas(), versions=versions())


def commit():
    """The state of the project: the commit, and "+" where files differ from it."""
    def git(*words):
        return subprocess.run(["git", *words], cwd=Path(__file__).parent, capture_output=True,
                              text=True, timeout=10, check=True).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no")
        return git("rev-parse", "--short=12", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.SubprocessError):       # no git, or no repository
        return None


def machine():
    """Processor, number of them, and system."""
    try:
        found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
        model = found[1] if found else platform.machine()
    except OSError:
        model = platform.processor() or platform.machine()
    return f"{model}, {os.cpu_count()} processors, {platform.system()} {platform.release()}"


def blas():
    """Library, kernel, threads of NumPy's matrix products, and the vector width of its loops.

    The last digits of a matrix product depend on the kernel, and a chaotic run on the last digits.
    """
    config = np.show_config(mode="dicts")
    library = config.get("Build Dependencies", {}).get("blas", {})
    simd = config.get("SIMD Extensions", {})
    found = {*simd.get("baseline", []), *simd.get("found", [])}
    wide = any(name.startswith("AVX512") or name == "X86_V4" for name in found)
    bits = 512 if wide else 256 if found & {"AVX2", "X86_V3"} else 128
    kernel, threads = openblas()
    return dict(library=library.get("name"), version=library.get("version"), kernel=kernel,
                threads=threads, vector_bits=bits)


def openblas():
    """(kernel, threads) of the OpenBLAS of this process; (None, None) of another library."""
    try:
        loaded = re.search(r"(/\S*openblas\S*\.so\S*)", Path("/proc/self/maps").read_text())
        library = ctypes.CDLL(loaded[1])
    except (OSError, TypeError):
        return None, None

    def ask(question, kind):
        for name in (f"scipy_openblas_{question}64_", f"openblas_{question}64_",
                     f"openblas_{question}"):
            if hasattr(library, name):
                function = getattr(library, name)
                function.restype = kind
                return function()
        return None

    kernel = ask("get_corename", ctypes.c_char_p)
    return kernel.decode() if kernel else None, ask("get_num_threads", ctypes.c_int)


def versions():
    packages = ["numpy", "matplotlib"] + (["cupy"] if backend.name == "cupy" else [])
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed under this name"
    return found


def peak_memory():
    """The most memory this process has held, in MB; None where the system does not tell."""
    try:                                                # Linux, where ru_maxrss begins with the
        status = Path("/proc/self/status").read_text()  # memory of the process that started it
        return round(int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 2**10)
    except (OSError, TypeError):
        pass
    try:
        import resource
    except ImportError:                                 # Windows
        return None
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)   # macOS: bytes
