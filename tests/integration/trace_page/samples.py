"""Trace files for the page's test, written by hand as a file exporter would write them."""
import hashlib
import json

MS = 1_000_000
BEGIN = 1_760_000_000_000_000_000


def value(v):
    if isinstance(v, bool):
        return {"boolValue": v}
    if isinstance(v, int):
        return {"intValue": str(v)}
    if isinstance(v, float):
        return {"doubleValue": v}
    if isinstance(v, list):
        return {"arrayValue": {"values": [value(item) for item in v]}}
    return {"stringValue": v}


def attributes(pairs):
    return [{"key": key, "value": value(v)} for key, v in pairs.items()]


class Trace:
    """Collects spans; ids count up, times are milliseconds since BEGIN."""

    def __init__(self, number=1):
        self.id = f"{number:032x}"
        self.spans = []

    def span(self, name, start, end, parent=None, error=None, events=(), links=(), **extra):
        span = {"traceId": self.id, "spanId": f"{len(self.spans) + 1:016x}", "name": name, "kind": 1, "flags": 257,
                "startTimeUnixNano": str(BEGIN + int(start * MS)), "endTimeUnixNano": str(BEGIN + int(end * MS)),
                "attributes": attributes(extra.get("a", {})),
                "status": {"code": 2, "message": error} if error else {}}
        if parent is not None:
            span["parentSpanId"] = parent if isinstance(parent, str) else parent["spanId"]
        if events:
            span["events"] = [{"timeUnixNano": str(BEGIN + int(at * MS)), "name": what, "attributes": attributes(a)}
                              for at, what, a in events]
        if links:
            span["links"] = [{"traceId": t, "spanId": s, "attributes": []} for t, s in links]
        self.spans.append(span)
        return span


def line(spans, service="repair-shop"):
    return json.dumps({"resourceSpans": [{
        "resource": {"attributes": attributes({"service.name": service, "host.name": "build-7", "process.pid": 4242})},
        "scopeSpans": [{"scope": {"name": "pawl", "version": "0.2.0"}, "spans": spans}]}]}) + "\n"


BROKEN = '''"""Where a word begins in a text."""


def find(words, wanted):
    low, high = 0, len(words)
    while low < high:
        middle = (low + high) // 2
        if words[middle] < wanted:
            low = middle
        else:
            high = middle - 1
    return low if low < len(words) and words[low] == wanted else -1


def main():
    words = ["ash", "beech", "elm", "fir", "larch", "oak"]
    for word in words:
        print(word, find(words, word))


if __name__ == "__main__":
    main()
'''
SECOND = BROKEN.replace("high = middle - 1", "high = middle")
THIRD = SECOND.replace("low = middle\n", "low = middle + 1\n")
TRACEBACK = '''Traceback (most recent call last):
  File "test.py", line 9, in <module>
    assert find(words, "ash") == 0
AssertionError
'''


def repair():
    """A repair with three executions, as the tool writes it with --trace-content."""
    t = Trace()
    root = t.span("fix", 0, 2480, a={"pawl.primitive.type": "fix", "pawl.stop_reason": "solved", "pawl.fix.outcome": "passed_holdout"})

    def run(parent, start, end, code, outcome, number=None, round_=None, out="", err="", error=None):
        marks = {"pawl.candidate": number, "pawl.round": round_} if number else {}
        node = t.span("execute", start, end, parent, a={
            "pawl.primitive.type": "code_execution", "pawl.primitive.path": "fix/loop/execute", "pawl.code.language": "python",
            "pawl.code.bytes": len(code), "pawl.code.digest": hashlib.sha256(code.encode()).hexdigest(), "pawl.code.outcome": outcome,
            "pawl.code.exit_status": 0 if outcome == "ok" else 1, "pawl.sandbox.tier": "namespaces",
            "pawl.code.text": code, "pawl.code.stdout": out, "pawl.code.stderr": err,
            "gen_ai.operation.name": "execute_tool", **marks})
        t.span("sandbox.create", start, start + 4, node, a={"pawl.sandbox.id": "local-17"})
        t.span("sandbox.run", start + 4, end, node, a={"pawl.code.outcome": outcome},
               events=[(end - 1, "exception", {"exception.type": "AssertionError", "exception.message": "find(words, 'ash')",
                                               "exception.stacktrace": TRACEBACK})] if err else ())
        return node

    run(root, 2, 90, BROKEN, "check_failed", err=TRACEBACK)
    loop = t.span("loop", 92, 2300, root, a={"pawl.primitive.type": "refine", "pawl.rounds": 2, "pawl.stop_reason": "solved"})
    t.span("generate", 94, 900, loop, a={"pawl.primitive.type": "function", "pawl.round": 1, "gen_ai.request.model": "small-coder",
                                         "gen_ai.usage.output_tokens": 412})
    run(loop, 902, 1420, SECOND, "wall_timeout", 1, 1, out="ash 0\n")
    asking = t.span("ask again", 1424, 2100, loop, a={"pawl.primitive.type": "retry", "pawl.round": 2})
    t.span("generate", 1425, 1520, asking, error="the model answered 503", a={
        "pawl.primitive.type": "function", "pawl.attempt": 1, "error.type": "unavailable"},
        events=[(1519, "exception", {"exception.type": "unavailable", "exception.message": "503 from the model"})])
    t.span("generate", 1720, 2099, asking, a={"pawl.primitive.type": "function", "pawl.attempt": 2})
    run(loop, 2102, 2290, THIRD, "ok", 2, 2, out="ash 0\nbeech 1\nelm 2\nfir 3\nlarch 4\noak 5\n")
    t.span("inside", 2200, 2280, t.spans[-1], a={"pawl.span.source": "sandbox", "pawl.code.outcome": "denied", "pawl.attempt": 1,
                                                 "pawl.code.digest": "0"})
    run(root, 2302, 2475, THIRD, "ok", out="all held-back checks pass\n")
    return t


def fixing():
    """A repair as `pawl fix` traces it: what runs is a driver, what changes is the candidate."""
    t = Trace(6)
    root = t.span("fix", 0, 100, a={"pawl.primitive.type": "fix", "pawl.fix.program": BROKEN})
    loop = t.span("loop", 10, 80, root, a={"pawl.primitive.type": "refine"})
    marks = [{}, {"pawl.candidate": 1, "pawl.round": 1, "pawl.candidate.text": SECOND},
             {"pawl.candidate": 2, "pawl.round": 1, "pawl.candidate.text": THIRD}, {}]
    for i, more in enumerate(marks):
        test = t.span("test", 1 + i * 20, 9 + i * 20, loop if more else root, a={"pawl.primitive.type": "fix_test", **more})
        t.span("execute", 2 + i * 20, 8 + i * 20, test, a={
            "pawl.primitive.type": "code_execution", "pawl.code.digest": str(i), "pawl.code.text": f"run(test, {i})\n",
            "pawl.code.outcome": "ok" if i > 1 else "check_failed"})
    return t


def request():
    """Another trace: branches, a cache, a cancelled one, an orphan."""
    t = Trace(2)
    root = t.span("request", 3000, 3140, a={"pawl.primitive.type": "sequential"},
                  links=[(f"{1:032x}", f"{1:016x}")])
    both = t.span("both", 3010, 3100, root, a={"pawl.primitive.type": "parallel", "pawl.step": 0})
    t.span("lookup", 3011, 3012.5, both, a={"pawl.primitive.type": "cache", "pawl.cache": "hit", "pawl.branch": 0})
    t.span("fetch", 3011, 3099, both, a={"pawl.primitive.type": "timeout", "pawl.branch": 1, "error.type": "timeout"},
           error="'fetch' took longer than 88 ms")
    t.span("slow part", 3012, 3099, "00000000000000aa", a={"error.type": "cancelled"}, error="cancelled: timeout")
    t.span("save", 3101, 3139.99, root, a={"pawl.primitive.type": "function", "pawl.step": 1, "ratio": 0.25, "list": [1, "two", True]})
    return t


ESCAPES = [
    "</script><img src=x onerror=\"document.title='broken out';alert(1)\">",
    "<!--<script>alert(1)</script>",
    "\u202egnp.exe \u2028 \u0007bell \x1b[31mred",
    "&lt;b&gt; &amp; ${alert(1)} {{data}} \\u003cb\\u003e ]]>",
    "__proto__",
]


def hostile():
    t = Trace(3)
    root = t.span(ESCAPES[0], 0, 10, a={"__proto__": ESCAPES[0], "constructor": 1, ESCAPES[0]: ESCAPES[1]}, error=ESCAPES[0])
    for i, text in enumerate(ESCAPES):
        t.span(text, 1 + i, 2 + i, root, a={
            "pawl.primitive.type": text if i else "code_execution", "pawl.code.text": text, "pawl.code.digest": text,
            "pawl.code.outcome": text, "pawl.code.stdout": text, "pawl.code.stderr": text, "pawl.attempt": text,
            "error.type": text}, error=text, events=[(1 + i, "exception", {"exception.message": text, "exception.stacktrace": text})])
    return t


def impostor():
    """A sandboxed program that gives its span the id of its own execution, and is read first."""
    trace = Trace(5)
    trace.span("late", 5, 6)
    said = trace.span("said", 1, 2, a={"pawl.span.source": "sandbox", "pawl.code.outcome": "ok"})
    run = trace.span("run", 0, 9, a={"pawl.primitive.type": "code_execution", "pawl.code.outcome": "exception"})
    run["spanId"] = said["spanId"]
    return trace


def circle():
    """Spans that are each other's parents, one its own."""
    t = Trace(4)
    t.span("one", 0, 10, "0000000000000002")
    t.span("two", 1, 9, "0000000000000001")
    t.span("self", 2, 3, "0000000000000003")
    return t


def many(count):
    t = Trace(5)
    open_ = [t.span("root", 0, count)]
    for i in range(1, count):
        while len(open_) > 1 + i % 12:
            open_.pop()
        open_.append(t.span(f"step {i}", i, i + 1 + i % 7, open_[-1], a={"pawl.step": i, "note": f"needle {i}" if i % 997 == 0 else "hay"},
                            error="it failed" if i % 500 == 0 else None))
    return t


def lines(trace, batch=512):
    return "".join(line(trace.spans[i:i + batch]) for i in range(0, len(trace.spans), batch))
