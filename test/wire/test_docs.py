"""The pages' examples: a block of YAML or nginx.conf is a configuration that `portico check` accepts, and where a page shows what a command
prints, that is what it prints.

A block whose first line is a comment with a file's name ("# portico.yaml") is that file for the commands of its page. One
called mistakes.yaml has some.
"""
import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAME = re.compile(r"# ([\w.-]+\.(?:yaml|conf))\n")
COMPARED = ("check", "explain", "help")


def blocks(page, language):
    """(line, text) of each block."""
    text = page.read_text()
    return [(text.count("\n", 0, found.start()) + 1, found[2]) for found in BLOCK.finditer(text) if found[1] == language]


def examples():
    for page in PAGES:
        for language, suffix in (("yaml", "yaml"), ("nginx", "conf")):
            for line, text in blocks(page, language):
                named = NAME.match(text)
                yield page, line, named[1] if named else f"line-{line}.{suffix}", text


def commands():
    """(page, line, words, what the page shows) for each command whose output is the same at any time."""
    for page in PAGES:
        for line, text in blocks(page, "console"):
            for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
                command, _, shown = part.partition("\n")
                words = shlex.split(command)
                if words[0].endswith("portico") and len(words) > 1 and words[1] in COMPARED:
                    yield page, line, words[1:], shown.rstrip("\n")


def of(cases):
    """The cases with a name for each: page, line, and a file or a command."""
    return [pytest.param(*case, id=f"{case[0].name}-{case[1]}-{case[2] if isinstance(case[2], str) else case[2][0]}")
            for case in cases]


@pytest.fixture
def folder(tmp_path):
    """folder(page) has the files of a page's blocks."""
    def write(page):
        for of_page, _, name, text in examples():
            if of_page == page:
                (tmp_path / name).write_text(text)
        return tmp_path
    return write


def test_there_are_examples():
    assert list(examples()) and list(commands())


def test_the_readme_shows_what_script_run_says():
    """script/run prints the lines of its example that begin with "#:"."""
    example = (ROOT / "examples/quickstart.yaml").read_text()
    said = "\n".join(re.sub("^#: ?", "", line) for line in example.split("\n") if line.startswith("#:"))
    assert said in PAGES[0].read_text()


def test_links_between_pages_lead_somewhere():
    pages = [*PAGES, ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", ROOT / "bench/README.md"]
    for page in pages:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize("page, line, name, text", of(examples()))
def test_an_example_is_a_good_configuration(run, folder, page, line, name, text):
    result = run("check", name, cwd=folder(page))
    if name == "mistakes.yaml":
        assert result.returncode == 1
        return
    assert result.returncode == 0, result.stderr
    # The folders that examples serve are not on every machine.
    warnings = [text for text in result.stderr.split("\n") if "warning: " in text and "the folder '" not in text]
    assert not warnings, result.stderr


@pytest.mark.parametrize("page, line, words, shown", of(commands()))
def test_a_command_prints_what_the_page_shows(run, folder, page, line, words, shown):
    result = run(*words, cwd=folder(page))
    assert (result.stdout + result.stderr).rstrip("\n") == shown
