"""The command line in a process of its own: outputs that close or fill, odd folders, signals."""
import json
import os
import pkgutil
import re
import signal
import subprocess
import sys
import time

import pytest

import demos
import demos.__main__ as door
import minigrad
import optim
import problems

linux = pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc and /dev/full")
QUICK = ("saddle_escape", "--quick", "--no-plot")


def start(*arguments, python=(), env=(), **settings):
    """`python -m demos ARGUMENTS`, its standard error read as text."""
    return subprocess.Popen([sys.executable, *python, "-m", "demos", *map(str, arguments)],
                            stderr=subprocess.PIPE, text=True, env={**os.environ, **dict(env)},
                            **settings)


def ended(process, within=60):
    """(exit status, standard error without the lines that tell how far a slow machine is)."""
    error = process.communicate(timeout=within)[1]
    return process.returncode, complaints(error)


def complaints(error):
    return re.sub(r"^ *\d+ s  .*\n", "", error, flags=re.MULTILINE)


def record(folder, name=QUICK[0]):
    return json.loads((folder / f"{name}.json").read_text())


@pytest.mark.slow
def test_a_reader_that_leaves_ends_nothing(tmp_path):
    """python -m demos NAME | head -1"""
    process = start(*QUICK, "--out", tmp_path, stdout=subprocess.PIPE)
    assert process.stdout.readline().startswith("saddle_escape  backend=")
    process.stdout.close()
    assert (process.wait(60), complaints(process.stderr.read())) == (0, "")
    assert record(tmp_path)["claims"]


@pytest.mark.slow
@pytest.mark.parametrize("closed", [(1,), (2,), (0, 1, 2)])
def test_closed_outputs_end_nothing(tmp_path, closed):
    """python -m demos NAME >&- 2>&-"""
    script = f"exec {sys.executable} -m demos {' '.join(QUICK)} --out {tmp_path} " + " ".join(
        f"{handle}>&-" for handle in closed)
    done = subprocess.run(["sh", "-c", script], stderr=subprocess.PIPE, text=True, timeout=60)
    assert (done.returncode, complaints(done.stderr)) == (0, "")
    assert record(tmp_path)["claims"]


@linux
def test_a_full_disk_under_the_output_is_said_at_the_first_line(tmp_path):
    with open("/dev/full", "w") as full:
        status, error = ended(start(*QUICK, "--out", tmp_path, stdout=full))
    assert (status, error) == (1, "demos: cannot write to standard output (No space left on "
                                  "device). Send it to a place with room.\n")
    assert os.listdir(tmp_path) == []


def test_a_folder_without_room_is_said_before_the_work(tmp_path):
    resource = pytest.importorskip("resource")
    process = start(*QUICK, "--out", tmp_path, stdout=subprocess.PIPE,
                    preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000)))
    assert process.stdout.read() == ""
    assert ended(process) == (1, f"demos: cannot write to '{tmp_path}' (File too large). "
                                 "Name another folder with --out.\n")


@pytest.mark.parametrize("arguments, status, sentence", [
    (["saddle_escape", "--out", ""], 1,
     "demos: --out is empty. Name a folder, or leave it out for 'results'."),
    (["saddle_escape", "--out", "/dev/null/deep"], 1,
     "demos: cannot write to '/dev/null/deep' (Not a directory). Name another folder with --out."),
    (["saddle_escape", "--data", "nonsense"], 2,
     "saddle_escape: --data nonsense: this demo has no choice of data. Leave --data out."),
    (["mnist", "--quick", "--data", "nonsense"], 1,
     "load: unknown data set 'nonsense'. "),
    (["edge"], 2, "demos: there is no demo 'edge'. Did you mean 'edge_of_stability'?"),
])
def test_what_cannot_be_done_is_a_sentence(tmp_path, arguments, status, sentence):
    process = start(*arguments, stdout=subprocess.PIPE, cwd=tmp_path,
                    env={"PYTHONPATH": os.pathsep.join([os.getcwd(),
                                                        os.environ.get("PYTHONPATH", "")])})
    found, error = ended(process)
    assert found == status and error.startswith(sentence)
    assert "Traceback (" not in error


def test_a_name_cut_short_is_answered():
    found = dict.fromkeys(["edge_of_stability", "speed", "mnist", "model_merging", "mountain_pass"])
    for asked, meant in (("edge", "edge_of_stability"), ("merging", "model_merging"),
                         ("Mountain-Pass", "mountain_pass"), ("stabil", "edge_of_stability"),
                         ("minst", "mnist"), ("sped", "speed"), ("xyz", None), ("", None)):
        assert door.nearest(asked, found) == meant, asked


@pytest.mark.slow
@pytest.mark.parametrize("env", [{"PYTHONIOENCODING": "ascii"},
                                 {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}])
def test_a_folder_with_letters_that_the_terminal_lacks(tmp_path, env):
    folder = tmp_path / "Ergebnisse-\u00e4\u00f6\u03b8"
    process = start(*QUICK, "--out", folder, stdout=subprocess.PIPE, env=env)
    printed = process.stdout.read()
    assert ended(process) == (0, "")
    assert printed.isascii() and "saved " in printed and record(folder)["claims"]


@pytest.mark.slow
def test_python_without_docstrings_and_assertions(tmp_path):
    """python -OO: every module imports, a demo runs, --help shows the question."""
    names = [module.name for package in (minigrad, optim, problems, demos)
             for module in pkgutil.walk_packages(package.__path__, package.__name__ + ".")
             if not module.name.endswith("__main__")]
    done = subprocess.run([sys.executable, "-OO", "-c", f"""
import importlib
for name in {names}:
    importlib.import_module(name)
import minigrad as mg
broken = lambda x: mg.sum(mg.constant(x) * x)
try:
    mg.check_gradient(broken, mg.xp.ones(3), __import__("numpy").random.default_rng(0))
except AssertionError as error:
    print(error)
"""], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "central differences" in done.stdout
    process = start(*QUICK, "--out", tmp_path, python=("-OO",), stdout=subprocess.DEVNULL)
    assert ended(process) == (0, "") and record(tmp_path)["claims"]
    helped = subprocess.run([sys.executable, "-OO", "-m", "demos", "saddle_escape", "--help"],
                            capture_output=True, text=True)
    assert helped.returncode == 0 and "Question" in helped.stdout


@pytest.mark.slow
def test_matplotlib_keeps_its_fonts_in_our_cache_or_nowhere(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    env = {"HOME": str(home), "MPLCONFIGDIR": "", "XDG_CACHE_HOME": "", "MINIGRAD_CACHE":
           str(tmp_path / "cache")}
    clean = {name: value for name, value in os.environ.items() if name not in env}
    env = {name: value for name, value in env.items() if value}
    command = [sys.executable, "-m", "demos", "saddle_escape", "--quick", "--out", tmp_path / "out"]
    done = subprocess.run(command, env={**clean, **env}, capture_output=True, text=True)
    assert done.returncode == 0 and list((tmp_path / "cache" / "matplotlib").glob("fontlist*"))
    assert list(home.iterdir()) == []
    (tmp_path / "file").write_text("")
    env["MINIGRAD_CACHE"] = str(tmp_path / "file")
    env["TMPDIR"] = str(tmp_path / "tmp")
    (tmp_path / "tmp").mkdir()
    done = subprocess.run(command, env={**clean, **env}, capture_output=True, text=True)
    assert done.returncode == 0 and list(home.iterdir()) == []
    assert [*(tmp_path / "tmp").glob("*fonts*")] == []


# ---------------------------------------------------------------------- signals

def below(pid):
    """The live processes that descend from `pid`."""
    parents = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat") as file:
                state, parent = file.read().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state != "Z":
            parents[int(entry)] = int(parent)
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}, set(parents)


@linux
@pytest.mark.slow
@pytest.mark.parametrize("number, status", [(signal.SIGTERM, -15), (signal.SIGKILL, -9),
                                            (signal.SIGINT, 130)])
@pytest.mark.parametrize("late", [0.0, 2.0])
def test_no_process_is_left_of_a_demo_with_two_jobs(tmp_path, number, status, late):
    """The signal goes to the parent alone, as soon as there are workers, or while they train."""
    process = start("regression", "--jobs", 2, "--out", tmp_path, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while len(below(process.pid)[0]) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(late)
    workers = below(process.pid)[0]
    assert len(workers) >= 3                        # two workers, and Python's keeper of resources
    os.kill(process.pid, number)
    sent = time.monotonic()
    while workers & below(process.pid)[1] and time.monotonic() < sent + 3.0:
        time.sleep(0.02)
    assert not workers & below(process.pid)[1]
    found, error = ended(process)
    print(f"{number.name} after {late} s: all gone {time.monotonic() - sent:.2f} s later")
    assert found == status and "Traceback" not in error
    if number == signal.SIGINT:
        assert error.count("\n") <= 2 and "stopped by Ctrl-C" in error or "interrupted" in error
