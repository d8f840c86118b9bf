"""Stacks of functions, how often each was seen, and a picture of them: a flame graph as SVG, written here."""
import collections
import os
import re
import subprocess
from xml.sax.saxutils import escape

from .processes import Failure

WIDTH, ROW, MARGIN, TOP = 1200, 17, 10, 64
LETTER = 6.6           # the width of one at FONT
FONT = 11
NARROWEST = 0.6        # pixels; what is narrower is not drawn
COLOURS = {'portico': '#f3a55a', 'kernel': '#a9bcd0', 'library': '#b6d7a8', 'unknown': '#dddddd'}
LOOP = 'loop_turn'
FRAME = re.compile(r'^\s+([0-9a-f]+) (.+?)(?:\+0x[0-9a-f]+)? \((.*)\)$')

Frame = collections.namedtuple('Frame', ('name', 'origin', 'where'))


class Node:
    """A function, called by the ones above it."""

    def __init__(self, frame=None):
        self.frame, self.total, self.below = frame, 0, {}

    def add(self, stack, weight):
        """`stack` has the outermost function first."""
        node = self
        node.total += weight
        for frame in stack:
            node = node.below.setdefault(frame, Node(frame))
            node.total += weight

    def depth(self, least):
        return 1 + max((child.depth(least) for child in self.below.values() if child.total >= least), default=0)


def origin_of(where, program):
    if where.startswith('[kernel') or where.startswith('[guest.kernel') or where.endswith('.ko'):
        return 'kernel'
    if os.path.basename(where) == os.path.basename(program):
        return 'portico'
    return 'library' if '.so' in where else 'unknown'


def plain(name):
    """Without what the compiler appends to names."""
    return re.sub(r'\.(lto_priv|constprop|isra|part|cold)\b(\.\d+)?', '', name).split('@')[0].split("'")[0]


def samples(text, program):
    """The stacks that `perf script` wrote, outermost first."""
    stack = []
    for line in text.splitlines():
        match = FRAME.match(line)
        if match:
            stack.append(Frame(plain(match[2]), origin_of(match[3], program), os.path.basename(match[3])))
        elif not line.strip() and stack:
            yield outermost_first(stack)
            stack = []
    if stack:
        yield outermost_first(stack)


def outermost_first(stack):
    """What a thread begins with says nothing: a stack begins with its loop."""
    stack = stack[::-1]
    start = next((number for number, frame in enumerate(stack) if frame.name == LOOP), 0)
    return stack[start:]


def record(stage, server, seconds, frequency=997):
    """The stacks of a peer under load for so long, seen by perf by the clock: no hardware counters are needed."""
    data = stage.path('perf.data')
    child = stage.start('perf', ['perf', 'record', '-q', '-e', 'cpu-clock', '-F', str(frequency), '--call-graph', 'dwarf,16384',
                                 '-p', str(server.pid), '-o', data, '--', 'sleep', str(seconds)], stage.load_cpu)
    child.process.wait()
    stage.children.remove(child)
    if child.process.returncode != 0 or not os.path.exists(data):
        raise Failure(f'perf could not record:\n{child.explain()}')
    out = subprocess.run(['perf', 'script', '-i', data, '-F', 'comm,pid,event,ip,sym,dso', '--no-inline'],
                         capture_output=True, text=True, errors='replace')
    root = Node()
    for stack in samples(out.stdout, server.peer.path):
        root.add(stack, 1)
    if not root.total:
        raise Failure(f'perf saw nothing: {out.stderr.strip()[:300]}')
    return root


# ---- callgrind ----

CALLGRIND_NAME = re.compile(r'^(c?(?:fn|ob|fi|fl|fe))=\((\d+)\)(?: (.*))?$')


class CallGraph:
    """What callgrind wrote: the own cost of each function, and the cost of each call between two."""

    def __init__(self, path):
        self.own, self.calls, names, current = collections.Counter(), collections.defaultdict(collections.Counter), {}, {}
        callee, is_call = None, False
        with open(path, errors='replace') as file:
            for line in file:
                match = CALLGRIND_NAME.match(line.strip())
                if match:
                    key, number, name = match.groups()
                    table = key.lstrip('c')
                    table = table if table in ('fn', 'ob') else 'fl'
                    if name:
                        names[table, number] = name
                    current[key] = names.get((table, number), '?')
                    if key == 'ob':
                        current['cob'] = current['ob']
                    if key == 'fn':
                        current['cob'] = current.get('ob', '?')
                    continue
                if line.startswith('calls='):
                    callee, is_call = Frame(plain(current['cfn']), '', current.get('cob', '?')), True
                    continue
                words = line.split()
                if len(words) < 2 or not re.fullmatch(r'[+*-]?\d*|0x[0-9a-f]+', words[0]) or not words[-1].isdigit():
                    continue
                here = Frame(plain(current.get('fn', '?')), '', current.get('ob', '?'))
                if is_call:
                    if callee != here:
                        self.calls[here][callee] += int(words[-1])
                    is_call = False
                    current['cob'] = current.get('ob', '?')
                else:
                    self.own[here] += int(words[-1])

    def tree(self, program, begin=LOOP):
        """The calls below `begin` as a tree. A function that several call gives each its share, since callgrind keeps sums only."""
        root = Node()
        start = next((frame for frame in self.calls if frame.name == begin), None)
        if start is None:
            raise Failure(f'callgrind saw no {begin}')
        all_of = {frame: self.own[frame] + sum(self.calls[frame].values()) for frame in set(self.own) | set(self.calls)}

        def descend(frame, weight, above):
            shown = Frame(frame.name, origin_of(frame.where, program), os.path.basename(frame.where))
            node = above.below.setdefault(shown, Node(shown))
            node.total += weight
            path.add(frame)
            for callee, cost in self.calls[frame].items():
                share = weight * cost / (all_of[frame] or 1)
                if callee not in path and share > least:
                    descend(callee, share, node)
            path.discard(frame)
        path, least = set(), all_of[start] / 4000
        root.total = all_of[start]
        descend(start, all_of[start], root)
        return root


# ---- the picture ----

def rectangles(root, scale, least):
    """(frame, samples, level, first sample) for all that is wide enough, callers below."""
    def walk(node, level, first):
        for frame, child in sorted(node.below.items(), key=lambda item: item[0]):
            if child.total >= least:
                yield frame, child.total, level, first
                yield from walk(child, level + 1, first)
            first += child.total
    yield from walk(root, 0, 0)


def label(name, width):
    letters = int((width - 4) / LETTER)
    if letters < 3:
        return ''
    return name if len(name) <= letters else name[:letters - 1] + '…'


def svg(root, title, subtitle, unit='samples'):
    """The picture. Its words are in the title of each rectangle, so that pointing at one tells what it is."""
    scale = (WIDTH - 2 * MARGIN) / root.total
    least = NARROWEST / scale
    height = TOP + (root.depth(least) - 1) * ROW + MARGIN
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="monospace" font-size="{FONT}">',
           f'<title>{escape(title)}</title>', '<style>rect{stroke:#fff;stroke-width:.5}text{pointer-events:none}'
           + ''.join(f'.{name[0]}{{fill:{colour}}}' for name, colour in COLOURS.items()) + '</style>',
           f'<path fill="#fff" d="M0 0h{WIDTH}v{height}H0z"/>',
           f'<text x="{MARGIN}" y="22" font-size="15" font-weight="bold">{escape(title)}</text>',
           f'<text x="{MARGIN}" y="40">{escape(subtitle)}</text>']
    for number, (name, words) in enumerate((('portico', 'Portico'), ('kernel', 'the kernel'), ('library', 'libraries'))):
        x = MARGIN + number * 110
        out.append(f'<rect class="{name[0]}" x="{x}" y="47" width="12" height="12"/><text x="{x + 17}" y="57">{words}</text>')
    for frame, total, level, first in rectangles(root, scale, least):
        x, width, y = MARGIN + first * scale, total * scale, height - MARGIN - (level + 1) * ROW
        out.append(f'<rect class="{frame.origin[0]}" x="{x:.1f}" y="{y}" width="{width:.1f}" height="{ROW - 1}">'
                   f'<title>{escape(frame.name)} ({escape(frame.where)}): {total / root.total:.1%}, {total:,.0f} {unit}</title></rect>')
        words = label(frame.name, width)
        if words:
            out.append(f'<text x="{x + 3:.1f}" y="{y + 12}">{escape(words)}</text>')
    return '\n'.join([*out, '</svg>', ''])
