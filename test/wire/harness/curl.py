"""curl as the client: what people type. Names lead to this machine whatever they are."""
import subprocess

from .waiting import PATIENCE, wait_for


class Answer:
    def __init__(self, head, body):
        lines = head.split("\r\n")
        self.status = int(lines[0].split()[1])
        self.fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        self.body = body


def curl(url, *flags):
    """The answer, or an AssertionError with what curl says."""
    done = subprocess.run(["curl", "-sSi", "--http1.1", "-m", "20", "--connect-to", "::127.0.0.1:", *map(str, flags), url],
                          capture_output=True, check=False)
    assert done.returncode == 0, f"{url}: {done.stderr.decode(errors='replace')}"
    head, _, body = done.stdout.decode(errors="replace").partition("\r\n\r\n")
    return Answer(head, body)


def curl_until(status, url, *flags, where=lambda answer: True, patience=PATIENCE):
    """Asks again until the answer has this status: for what takes its time to come up."""
    last = []

    def answers():
        try:
            last[:] = [curl(url, *flags)]
        except AssertionError as error:
            last[:] = [error]
            return None
        return last[0] if last[0].status == status and where(last[0]) else None
    try:
        return wait_for(f"{status} from {url}", answers, patience)
    except AssertionError as error:
        shown = last[0] if isinstance(last[0], AssertionError) else f"{last[0].status} {last[0].fields}\n{last[0].body[:2000]}"
        raise AssertionError(f"{error}; the last answer: {shown}") from None
