"""What nginx and Portico answer to the same requests under the same nginx.conf (harness/differential.py)."""
import pytest

from harness.differential import Pair, cases, differences

CASES = cases()


def test_there_are_enough_of_them():
    assert len(CASES) >= 60
    assert sum(len(case.asks) for case in CASES) >= 300


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_both_say_the_same(case, tmp_path, stack):
    tmp_path.chmod(0o755)
    pair = Pair(case, tmp_path)
    stack.callback(pair.stop)
    found = []
    for ask in case.asks:
        theirs, ours = (side.ask(ask) for side in pair.sides)
        found += [f"{ask.line}: {what}" for what in differences(theirs, ours, ask)]
    assert not found, "\n" + "\n".join(found)
