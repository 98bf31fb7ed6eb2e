"""Kill saves, or cut their power, before each of their steps, then resume them.

As a program: `crashes.py DIRECTORY MAX_SHARD_SIZE [power] [force] [every=N]` prints how many moments it tried.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
from collections.abc import Callable
from typing import Any

import saves

from fanin.plans import Plan

CALLS = ["open", "pwrite", "ftruncate", "truncate", "posix_fallocate", "fdatasync", "fsync", "replace", "unlink"]
NAMES = ("open", "replace", "unlink")  # the calls that change a directory


class Disk:
    """Follow all calls on a directory, up to a step that never happens."""

    def __init__(self, directory: str, last: int, chance: random.Random | None) -> None:
        self.directory, self.last, self.chance = directory, last, chance
        self.steps = 0
        self.files: dict[int, int] = {}  # the file of each descriptor
        self.synced: dict[int, bytes] = {}  # the data of each file that are on disk
        self.data: dict[int, bytes] = {}  # the data of files without a name
        self.names: dict[str, int] = {}
        self.synced_names: dict[str, int] = {}
        self.unsynced: list[tuple[str, int | None, str | None]] = []  # name, its file, and the name that it had
        for number, name in enumerate(os.listdir(directory)):
            self.names[name] = self.synced_names[name] = number
            with open(os.path.join(directory, name), "rb") as file:
                self.synced[number] = file.read()
        self.made = len(self.names)

    def arm(self) -> None:
        for name in CALLS:
            setattr(os, name, self.step(name, getattr(os, name)))

    def step(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def stepped(*arguments: Any) -> Any:
            self.steps += 1
            if self.steps == self.last:
                if name == "pwrite":
                    file, view, position = arguments
                    call(file, view[: len(view) // 2], position)
                if self.chance:
                    self.lose_power(self.chance)
                os.kill(os.getpid(), signal.SIGKILL)
            return self.follow(name, call, arguments) if self.chance else call(*arguments)

        return stepped

    def follow(self, name: str, call: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """Make the call, and remember what of it a power loss may undo."""
        if name in ("unlink", "replace") and (gone := self.names.get(os.path.basename(arguments[-1]))) is not None:
            self.data[gone] = self.read(arguments[-1])
        result = call(*arguments)
        path = os.path.basename(arguments[0]) if name in NAMES else ""
        if name == "open" and os.path.dirname(arguments[0]) == self.directory:
            if path not in self.names:
                self.names[path] = self.made
                self.unsynced.append((path, self.made, None))
                self.made += 1
            self.files[result] = self.names[path]
        elif name == "open":
            self.files[result] = -1  # the directory
        elif name == "replace":
            target = os.path.basename(arguments[1])
            self.names[target] = self.names.pop(path)
            self.unsynced.append((target, self.names[target], path))
        elif name == "unlink":
            del self.names[path]
            self.unsynced.append((path, None, None))
        elif name in ("fsync", "fdatasync"):
            file = self.files[arguments[0]]
            if file < 0:
                self.synced_names, self.unsynced = dict(self.names), []
            else:
                self.synced[file] = self.content(file)
        return result

    def read(self, path: str) -> bytes:
        with open(path, "rb") as file:
            return file.read()

    def content(self, file: int) -> bytes:
        for name, number in self.names.items():
            if number == file:
                return self.read(os.path.join(self.directory, name))
        return self.data[file]

    def lose_power(self, chance: random.Random) -> None:
        """Leave what is certainly on disk, and by chance some of the rest."""
        names = dict(self.synced_names)
        for target, file, source in self.unsynced:
            if chance.random() < 0.5:
                continue
            if file is None:
                names.pop(target, None)
            elif source is None or names.get(source) == file:
                names.pop(source or "", None)
                names[target] = file
        image = {}
        for name, file in names.items():
            old, now = self.synced.get(file, b""), self.content(file)
            size = chance.choice((len(old), len(now)))
            old, now = (data[:size].ljust(size, b"\0") for data in (old, now))
            image[name] = b"".join(chance.choice((old, now))[at : at + 512] for at in range(0, size, 512))
        for name in os.listdir(self.directory):
            os.remove(os.path.join(self.directory, name))
        for name, data in image.items():
            with open(os.path.join(self.directory, name), "wb") as out:
                out.write(data)


def crashed(plan: Plan, directory: str, last: int, chance: random.Random | None, **options: Any) -> bool:
    """Save in a process of its own that ends before its step `last`; return whether there was such a step."""
    child = os.fork()
    if not child:
        try:
            Disk(directory, last, chance).arm()
            plan.save(os.path.join(directory, "model.safetensors"), workers=1, **options)
            os._exit(0)
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", flush=True)
        os._exit(1)
    status = os.waitpid(child, 0)[1]
    assert not os.WIFEXITED(status) or os.WEXITSTATUS(status) == 0, f"failed in step {last}"
    return os.WIFSIGNALED(status)


def main(directory: str, max_shard_size: int, *flags: str) -> None:
    saves.cut_small()
    every = next((int(flag[6:]) for flag in flags if flag.startswith("every=")), 1)
    new, old = saves.small_plan(seed=0), saves.small_plan(seed=1)
    wholes = []
    for plan in (new, old):
        plan.save(os.path.join(directory, "model.safetensors"), max_shard_size=max_shard_size)
        wholes.append(saves.contents(directory))
        shutil.rmtree(directory)
        os.mkdir(directory)
    before = wholes[1] if "force" in flags else {}
    moment, count, happened = 1, 0, True
    while happened:
        chance = random.Random(moment)
        shutil.rmtree(directory)
        os.mkdir(directory)
        for name, data in before.items():
            with open(os.path.join(directory, name), "wb") as file:
                file.write(data)
        options: dict[str, Any] = {"max_shard_size": max_shard_size}
        loss = chance if "power" in flags else None
        happened = crashed(new, directory, moment, loss, **options, force=bool(before))
        again = happened
        while again:
            count += 1
            saves.require_nothing_half(directory, *wholes)
            # A run that was to replace a checkpoint, and is killed before anything is recorded, is started anew.
            recorded = b"\n" in saves.contents(directory).get("model.safetensors.journal", b"")
            way = {"resume": True} if recorded or not before else {"force": True}
            again = crashed(new, directory, chance.randrange(1, 200), loss, **options, **way)
        assert saves.contents(directory) == wholes[0], f"other files after step {moment}"
        moment += every
    print(count)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
