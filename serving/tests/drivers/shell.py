"""Drives `chimera sql` in a terminal of its own: python3 shell.py CHIMERA HOME. Says what went wrong, and ends with 1."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

chimera, home = sys.argv[1:3]
environment = dict(os.environ, CHIMERA_HOME=home, TERM="xterm", COLUMNS="100", LINES="40", EDITOR="true")
pid, terminal = pty.fork()
if pid == 0:
    os.execve(chimera, [chimera, "sql", "--as", "analyst"], environment)
seen = ""


def expect(pattern, seconds=30):
    """Reads until the pattern is there, and gives what came up to its end."""
    global seen
    deadline = time.time() + seconds
    while True:
        plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", seen)
        found = re.search(pattern, plain)
        if found:
            seen = plain[found.end():]
            return plain[: found.end()]
        left = deadline - time.time()
        if left <= 0:
            print(f"did not see {pattern!r} in:\n{plain}")
            os.kill(pid, signal.SIGKILL)
            sys.exit(1)
        ready, _, _ = select.select([terminal], [], [], left)
        if ready:
            try:
                seen += os.read(terminal, 65536).decode(errors="replace")
            except OSError:
                seen += "<the end>"
                time.sleep(0.05)


def send(text):
    os.write(terminal, text.encode())


expect(r"chimera=> ")
# A statement over two lines.
send("SELECT 1 + 1 AS two,\r")
send("NULL AS nothing;\r")
expect(r"two +│ nothing")
expect(r"2 │ NULL")
expect(r"1 row")
expect(r"chimera=> ")
# Completion of a view and of its column.
send("SELECT ord\t FROM sales.tot\t;\x01\x05\r")
expect(r"sales\.totals")
expect(r"chimera=> ")
send("\\d sales.by_country\r")
expect(r"revenue")
expect(r"by_country_pkey")
expect(r"chimera=> ")
# An error points at its place, and the shell goes on.
send("SELECT 1 1;\r")
expect(r"line 1: SELECT 1 1")
expect(r"\^")
expect(r"chimera=> ")
send("\\x\r")
expect(r"chimera=> ")
send("SELECT 7 AS seven;\r")
expect(r"row 1")
expect(r"seven │ 7")
expect(r"chimera=> ")
send("\\x\r")
expect(r"chimera=> ")
send("\\timing\r")
expect(r"chimera=> ")
send("EXPLAIN SELECT * FROM sales.by_country WHERE country = 'Norway';\r")
expect(r"ViewScan: sales.by_country, by key \(country\)")
expect(r"ms\)")
expect(r"chimera=> ")
# Changes are shown as they come, until Ctrl-C.
send("SUBSCRIBE sales.totals;\r")
expect(r"epoch.*│ change")
expect(r"upsert")
subprocess.run([chimera, "simulate", "--rate", "20", "--duration", "3"], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
expect(r"upsert")
send("\x03")
expect(r"(?i)cancel")
expect(r"chimera=> ")
send("SELECT 'still here' AS it;\r")
expect(r"still here\r?\n")
expect(r"chimera=> ")
send("\\watch 0.2\r")
expect(r"still here.*(.|\n)*still here.*(.|\n)*still here")
send("\x03")
expect(r"chimera=> ")
send("\\nonsense\r")
expect(r"there is no command")
expect(r"chimera=> ")
send("\\q\r")
_, status = os.waitpid(pid, 0)
if status != 0:
    print(f"the shell ended with {status}")
    sys.exit(1)
history = open(os.path.join(home, "sql_history"), encoding="utf-8").read()
if "SELECT 7 AS seven;" not in history:
    print("the history does not have what was typed:", history)
    sys.exit(1)
