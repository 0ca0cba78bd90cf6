#!/usr/bin/env python3
"""Sets everything up in .venv: a Python, the locked packages, a MongoDB server that starts.

Standard library only, and no syntax newer than Python 3.6, so that an old Python can say what is missing.
Quick when nothing changed. The stamp is written last: an interrupted set-up is begun anew, never half used.
"""

import glob
import hashlib
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
LOCK = os.path.join(ROOT, "requirements.lock")
STAMP = os.path.join(VENV, ".tidemark")
SERVER = os.path.join(VENV, "lib", "python3*", "site-packages", "fiftyone", "db", "bin", "mongod")

OLDEST = (3, 11)
NEWEST = (3, 14)  # the newest that all locked packages have wheels for; a newer one would have to compile
PIP_FOR_OTHERS = (22, 3)  # the first pip that installs into another environment (--python)
SERVER_LIBRARIES = "libcurl4 libssl3 liblzma5"


class CannotSetUp(Exception):
    """Something only the user can mend; says what, and the command for it."""


def main() -> int:
    try:
        set_up()
        check_server()
    except CannotSetUp as problem:
        print(f"setup: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("setup: interrupted; run it again to begin anew", file=sys.stderr)
        return 130
    return 0


def set_up() -> None:
    wanted = fingerprint()
    if is_done(wanted):
        return
    uv = shutil.which("uv")
    base = usable_python()
    if not uv and not base:
        raise CannotSetUp(no_python_message())
    shutil.rmtree(VENV, ignore_errors=True)
    if uv:
        install_with_uv(uv, base)
    else:
        install_with_pip(str(base))
    write_stamp(f"{wanted}\n{version_of(PYTHON)}")


def fingerprint() -> str:
    """What .venv must be made from: the lock, and its own place, which the scripts in it carry."""
    with open(LOCK, "rb") as file:
        return hashlib.sha256(file.read() + os.fsencode(VENV)).hexdigest()


def is_done(wanted: str) -> bool:
    try:
        with open(STAMP) as file:
            made_from, made_with = file.read().split("\n")
    except (OSError, ValueError):
        return False
    return made_from == wanted and made_with == version_of(PYTHON)


def write_stamp(text: str) -> None:
    with open(STAMP + ".new", "w") as file:
        file.write(text)
    os.replace(STAMP + ".new", STAMP)


def version_of(python: str) -> str:
    """'3.11.7', or '' when it does not start (a broken link, a shim without a Python behind it)."""
    return printed_by(python, "import sys; print('%d.%d.%d' % sys.version_info[:3])")


def printed_by(python: str, code: str) -> str:
    try:
        done = subprocess.run([python, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except OSError:
        return ""
    return done.stdout.decode().strip() if done.returncode == 0 else ""


def usable_python() -> "str | None":
    """The Python that runs this, if the packages are made for it; else one on PATH; else a newer one."""
    this = getattr(sys, "_base_executable", None) or sys.executable  # not the one inside .venv
    names = [f"python3.{minor}" for minor in range(NEWEST[1], OLDEST[1] - 1, -1)]
    for python in [this, *filter(None, map(shutil.which, names))]:
        if OLDEST <= major_minor(version_of(python)) <= NEWEST:
            return python
    return this if sys.version_info[:2] > NEWEST else None


def major_minor(version: str) -> "tuple[int, ...]":
    """'3.11.7' -> (3, 11); '' -> ()."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])


def no_python_message() -> str:
    return (
        f"needs Python 3.{OLDEST[1]} or newer; this is {version_of(sys.executable)} ({sys.executable}).\n"
        "Install one of these, then run this again:\n"
        "  uv, which brings a Python of its own:  python3 -m pip install --user uv\n"
        f"  Ubuntu 22.04:  {sudo()}apt-get install -y python3.11 python3.11-venv\n"
        "  macOS:         brew install python@3.13"
    )


def install_with_uv(uv: str, base: "str | None") -> None:
    print("setup: installing the locked packages into .venv with uv", flush=True)
    python = base or f">=3.{OLDEST[1]},<3.{NEWEST[1] + 1}"
    run([uv, "venv", "--quiet", "--python", python, VENV])
    run([uv, "pip", "sync", "--quiet", "--require-hashes", "--python", PYTHON, LOCK])


def install_with_pip(base: str) -> None:
    print("setup: installing the locked packages into .venv with pip: about a minute", flush=True)
    if printed_by(base, "import ensurepip, venv; print(1)"):
        run([base, "-m", "venv", VENV])
        pip = [PYTHON, "-m", "pip"]
    elif major_minor(printed_by(base, "import pip, venv; print(pip.__version__)")) >= PIP_FOR_OTHERS:
        run([base, "-m", "venv", "--without-pip", VENV])
        pip = [base, "-m", "pip", "--python", PYTHON]
    else:
        package = "python{}.{}-venv".format(*major_minor(version_of(base)))
        raise CannotSetUp(f"{base} cannot make environments: {sudo()}apt-get install -y {package}")
    quietly = ["--quiet", "--disable-pip-version-check", "--no-input"]
    run([*pip, *quietly, "install", "--no-deps", "--require-hashes", "-r", LOCK])


def run(command: "list[str]") -> None:
    try:
        status = subprocess.call(command, cwd=ROOT)
    except OSError as error:
        raise CannotSetUp(f"{command[0]}: {error}") from None
    if status:
        raise CannotSetUp(f"failed with status {status}, see above: {' '.join(command)}")


def check_server() -> None:
    """The MongoDB server of the packages starts: shared libraries, C library and processor suffice."""
    found = glob.glob(SERVER)
    if not found:
        raise CannotSetUp("no local MongoDB server for this system; see MONGODB_URI in .env.example")
    try:
        done = subprocess.run([found[0], "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    except OSError as error:
        raise CannotSetUp(server_problem(None, str(error))) from None
    if done.returncode:
        raise CannotSetUp(server_problem(done.returncode, done.stderr.decode("utf-8", "replace").strip()))


def server_problem(status: "int | None", words: str) -> str:
    """What keeps mongod from starting, and what to try.

    status: its exit status, negative for a signal, None when it could not be loaded; words: its complaint.
    """
    if "cannot open shared object" in words:
        cause = f"lacks a library; on Debian and Ubuntu: {sudo()}apt-get install -y {SERVER_LIBRARIES}"
    elif status is None or "GLIBC" in words:
        cause = "needs Debian 12, Ubuntu 22.04, macOS, or newer"
    elif status == -4:  # SIGILL
        cause = "needs a processor with AVX"
    else:
        cause = f"does not start (status {status})"
    return (
        f"the local MongoDB server {cause}\n  {words or 'it said nothing'}\n"
        "All packages are installed; with MONGODB_URI (.env.example) a server of your own is used instead."
    )


def sudo() -> str:
    return "" if os.geteuid() == 0 else "sudo "


if __name__ == "__main__":
    sys.exit(main())
