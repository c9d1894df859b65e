"""Mutation testing of the modules that work out dates: each small change of them must make a test fail.

    python -m tests.mutation [calendar|start_days|rules|schedule|nested ...] [--only LINE]

Every mutant is compiled in memory and put in place of the module in a child process of its own, in which the tests
below run until one fails; files are not touched. What survives is printed with its line. README.md beside this file
says why the known ones do.
"""

from __future__ import annotations

import argparse
import ast
import importlib.abc
import importlib.util
import os
import resource
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import click  # noqa: F401 - what the tests import is loaded once, before the children
import dateutil.rrule  # noqa: F401
import pytest

MODULES = ("calendar", "start_days", "rules", "schedule", "nested")
FAST_TESTS = (
    "tests/test_calendar.py",
    "tests/test_rules.py",
    "tests/test_schedule.py",
    "tests/test_plan.py",
)
SLOW_TESTS = (
    "tests/test_exclusive.py",
    "tests/test_searches_end.py",
    "tests/test_naive_dates.py",
    "tests/test_schedule_properties.py",
    "tests/changes",
)
"""Only what the fast ones leave; the first that fails ends the run."""
WORKERS = 2
LONGEST_CPU_S = 60
LARGEST_BYTES = 2 << 30
"""A mutant whose tests take more has made a search endless, and counts as found. What survives takes about 15 seconds,
and processor time is the same on a busy machine."""

COMPARED = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
CALCULATED = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
}
SWAPPED = {"min": "max", "max": "min", "bisect_left": "bisect_right", "bisect_right": "bisect_left"}


@dataclass(frozen=True)
class Mutant:
    """One change of a module: where it is, how it reads, and the tree with it."""

    module: str
    line: int
    change: str
    tree: ast.Module


def mutants(module: str) -> Iterator[Mutant]:
    """Yield every mutant of a module: comparisons, arithmetic, numbers, truths, conditions, bounds, cases."""
    source = Path("ajs", f"{module}.py").read_text()
    whole = ast.parse(source)
    counted = len(list(ast.walk(whole)))
    lines = source.splitlines()
    for number in range(counted):
        node = _node(whole, number)
        for way in range(len(_ways(node))):
            tree = deepcopy(whole)
            changed = _node(tree, number)
            was = ast.unparse(changed)
            _ways(changed)[way]()
            line = getattr(node, "lineno", 0)
            if line and not lines[line - 1].lstrip().startswith(('"""', "@")):
                change = f"{was.splitlines()[0]}  ->  {ast.unparse(changed).splitlines()[0]}"
                yield Mutant(module, line, change, tree)


def _node(tree: ast.Module, number: int) -> ast.AST:
    for at, node in enumerate(ast.walk(tree)):
        if at == number:
            return node
    raise IndexError(number)


def _ways(node: ast.AST) -> list:  # noqa: C901, PLR0911 - one case for each kind of change
    """Return the changes that can be made to a node in place."""

    def put(name: str, value: object):
        return lambda: setattr(node, name, value)

    match node:
        case ast.Compare(ops=[op]):
            return [put("ops", [other()]) for other in COMPARED[type(op)]]
        case ast.BinOp(op=op) if type(op) in CALCULATED:
            return [put("op", CALCULATED[type(op)]())]
        case ast.BoolOp(op=op):
            return [put("op", ast.Or() if isinstance(op, ast.And) else ast.And())]
        case ast.UnaryOp(op=ast.Not()):
            return [put("op", ast.UAdd())]
        case ast.UnaryOp(op=ast.USub()):
            return [put("op", ast.UAdd())]
        case ast.Constant(value=bool(value)):
            return [put("value", not value)]
        case ast.Constant(value=int(value)):
            return [put("value", value + 1)]
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
            return [put("test", ast.UnaryOp(ast.Not(), test))]
        case ast.Call(func=ast.Name(id=name)) if name in SWAPPED:
            return [put("func", ast.Name(SWAPPED[name], ast.Load()))]
        case ast.comprehension(ifs=[_, *_]):
            return [put("ifs", [])]
        case ast.match_case(pattern=ast.MatchValue()):
            return [put("guard", ast.Constant(value=False))]
        case _:
            return []


class Replaced(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives a mutant where its module is imported."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant

    def find_spec(self, fullname: str, path: object, target: object = None):
        if fullname != f"ajs.{self.mutant.module}":
            return None
        return importlib.util.spec_from_loader(fullname, self)

    def exec_module(self, module) -> None:
        tree = ast.fix_missing_locations(self.mutant.tree)
        exec(compile(tree, f"ajs/{self.mutant.module}.py", "exec"), module.__dict__)


def survives(mutant: Mutant) -> bool:
    """Return whether no test fails under a mutant; each is tried in a child of its own, which ends with it."""
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_CPU, (LONGEST_CPU_S, LONGEST_CPU_S))
        resource.setrlimit(resource.RLIMIT_AS, (LARGEST_BYTES, LARGEST_BYTES))
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
        sys.meta_path.insert(0, Replaced(mutant))
        arguments = ["-x", "-q", "-p", "no:randomly", "-p", "no:cacheprovider"]
        try:
            code = pytest.main([*arguments, *FAST_TESTS])
            code = code or pytest.main([*arguments, "--hypothesis-seed=1", *SLOW_TESTS])
        except BaseException:  # noqa: BLE001 - a mutant can break anything
            code = 1
        os._exit(0 if code == 0 else 1)
    _, status = os.waitpid(child, 0)
    return status == 0


def main() -> None:
    """Try every mutant and print those that survive."""
    parser = argparse.ArgumentParser(description="mutation testing of dates")
    parser.add_argument("modules", nargs="*", help=", ".join(MODULES))
    parser.add_argument("--only", type=int, help="mutants of this line")
    chosen = parser.parse_args()
    found = [
        m
        for name in chosen.modules or MODULES
        for m in mutants(name)
        if chosen.only in {None, m.line}
    ]
    same = Mutant("rules", 0, "nothing", ast.parse(Path("ajs", "rules.py").read_text()))
    if not survives(same):
        sys.exit("the tests fail without any change")
    print(f"{len(found)} mutants", flush=True)
    left = 0
    with ProcessPoolExecutor(WORKERS, get_context("fork")) as pool:
        for mutant, alive in zip(found, pool.map(survives, found), strict=True):
            if alive:
                left += 1
                print(f"ajs/{mutant.module}.py:{mutant.line}: {mutant.change}", flush=True)
    print(f"{left} of {len(found)} survived")


if __name__ == "__main__":
    main()
