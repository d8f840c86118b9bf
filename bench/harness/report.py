"""Medians, spreads and tables."""
import datetime
import json
import os
import platform
import statistics


def median(values):
    return statistics.median(values) if values else None


def spread(values):
    """Half the distance between the quartiles, as a share of the median: how far one round strays."""
    if len(values) < 3 or not median(values):
        return None
    low, _, high = statistics.quantiles(values, n=4)
    return (high - low) / 2 / median(values)


def table(header, rows):
    """Text columns: the first to the left, the others to the right."""
    cells = [header] + [['-' if cell is None else str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    lines = ['  '.join(cell.ljust(width) if i == 0 else cell.rjust(width)
                       for i, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in cells]
    return '\n'.join([lines[0], '-' * len(lines[0]), *lines[1:]])


def fixed(value, digits=2, suffix=''):
    return None if value is None else f'{value:,.{digits}f}{suffix}'


def machine():
    model = platform.processor()
    with open('/proc/cpuinfo') as file:
        model = next((line.split(':')[1].strip() for line in file if line.startswith('model name')), model)
    return {'cpu': model, 'cores': os.cpu_count(), 'kernel': platform.release(), 'load': os.getloadavg()[0],
            'date': datetime.datetime.now().isoformat(timespec='seconds')}


def write_json(path, what, data):
    """Writes a result with what is needed to judge it. No path, no file."""
    if path:
        with open(path, 'w') as file:
            json.dump({'benchmark': what, 'machine': machine(), **data}, file, indent=1)
            file.write('\n')
