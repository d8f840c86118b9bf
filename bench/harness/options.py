"""The command line that the benchmarks share, and how they end when something is wrong."""
import argparse
import os
import sys

from .peers import DEFAULT_PORTICO
from .processes import Failure


def parser(about, short=True):
    result = argparse.ArgumentParser(description=about)
    result.add_argument('--peers', default='', metavar='LIST',
                        help='peers with commas between: portico, nginx, haproxy, caddy, h2o, varnish, a path to one of '
                             'them, or label=path')
    result.add_argument('--portico', default=DEFAULT_PORTICO, metavar='PATH', help='the binary that "portico" means')
    result.add_argument('--json', metavar='FILE', help='write the figures there too')
    result.add_argument('--proxy-cpu', type=int, metavar='N', help='core of the proxy (default: the last one)')
    result.add_argument('--load-cpu', type=int, metavar='N', help='core of generator and origin (default: the first one)')
    result.add_argument('--log', choices=('all', 'portico', 'none'), default='all',
                        help='who writes an access log (all); with portico it is the only one, the hardest comparison')
    if short:
        result.add_argument('--short', action='store_true', help='a quick look: few and short rounds, whose figures prove nothing')
    return result


def add_realtime(parser):
    parser.add_argument('--realtime', action='store_true',
                        help='give peers, generator and origin real-time priority, so that other work on the machine hardly disturbs; takes root')


def shorten(flags, **values):
    """With --short, the flags get these values."""
    if flags.short:
        vars(flags).update(values)
    return flags


def logs(flags, peer):
    """Whether the peer writes an access log."""
    return flags.log == 'all' or peer.kind.startswith(flags.log)


def run(main):
    try:
        code = main()
    except Failure as failure:
        print(f'\n{os.path.basename(sys.argv[0])}: {failure}', file=sys.stderr)
        code = 1
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)
