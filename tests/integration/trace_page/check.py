"""What the trace page shows, asked of a real browser: check.py CHROMIUM TOOL FOLDER."""
import os
import subprocess
import sys
import time

import samples
from browser import Browser

chromium, tool, folder = sys.argv[1:]
failures = []


def check(what, found, wanted):
    if found != wanted:
        failures.append(what)
        print(f"FAILED: {what}: {found!r} instead of {wanted!r}")


def page(name, text, *options):
    path = os.path.join(folder, name)
    with open(path + ".jsonl", "w", encoding="utf-8") as file:
        file.write(text)
    subprocess.run([tool, "trace", "view", *options, path + ".jsonl"], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    return path + ".html"


def count(selector):
    return browser.ask(f"document.querySelectorAll({selector!r}).length")


def text(selector):
    return browser.ask(f"document.querySelector({selector!r})?.textContent ?? null")


def names():
    return browser.ask("[...document.querySelectorAll('#rows .row')].sort((a, b) => a.id.slice(4) - b.id.slice(4))"
                       ".map((row) => row.querySelector('.label').textContent)")


def selected():
    return browser.ask("document.querySelector('#rows .row.selected')?.dataset.span ?? null")


def span_id(number):
    return f"{number:016x}"


def no_troubles(what):
    check(what + ": nothing went wrong in the page", browser.troubles(), [])


def shows_the_tree():
    repair, request = samples.repair(), samples.request()
    path = page("run", samples.lines(repair) + "nonsense\n" + samples.lines(request) + '{"resourceSpans":[{"sc')
    browser.open(path)
    check("one row a span", count("#rows .row"), len(repair.spans))
    check("the deepest level", browser.ask("Math.max(...[...document.querySelectorAll('#rows .row')].map((row) => row.ariaLevel))"), 5)
    check("both traces are listed", count("#traces .row"), 2)
    check("parents stand before children", names()[:4], ["fix", "execute", "sandbox.create", "sandbox.run"])
    check("a failure has its colour", count("#rows .bar.failed"), 2)
    check("a timeout has another", count("#rows .bar.limit"), 2)
    check("bars have times", text("#row-1 .time"), "88.0 ms check_failed")
    check("bars lie where they belong", browser.ask(
        "Math.abs(parseFloat(document.querySelector('#row-5 .bar').style.left) - 94 / 2480 * 100) < 0.01"), True)
    check("attempts are marked", text("#row-10 .tag"), "attempt 1")
    check("what the program wrote is marked, not believed", browser.ask(
        "[...document.querySelectorAll('#rows .row')].find((row) => row.querySelector('.label').textContent === 'inside')"
        ".querySelector('.name').textContent"), "insidefrom the program")
    notes = text("#notes")
    check("bad lines are told", "line 2:" in notes and "cut off" in notes, True)
    check("the title is the file's", text("#title"), "run.jsonl")
    return path


def is_moved_by_keys(path):
    browser.open(path)
    for _ in range(2):
        browser.key("ArrowDown")
    check("arrows select", selected(), span_id(2))
    check("details follow", text("#details h2"), "execute check_failed")
    browser.key("ArrowLeft")
    check("left folds", browser.ask("document.querySelector('#row-1').ariaExpanded"), "false")
    check("what is folded is away", names()[2], "loop")
    browser.key("ArrowRight")
    browser.key("ArrowRight")
    check("right unfolds, then goes in", selected(), span_id(3))
    browser.key("End")
    check("End is the last row", browser.ask("document.querySelector('#rows .row.selected').id"), "row-18")
    browser.key("Home")
    browser.key("n")
    check("n finds the next failure", selected(), span_id(2))
    browser.key("z")
    check("z zooms to the span", browser.ask("parseFloat(document.querySelector('#row-1 .bar').style.width)"), 100)
    browser.key("x")
    check("x shows the whole trace", browser.ask("parseFloat(document.querySelector('#row-0 .bar').style.width)"), 100)
    browser.key("t")
    check("t turns light and dark", browser.ask("document.documentElement.dataset.theme"), "dark")
    browser.key("?")
    check("? tells the keys", browser.ask("document.querySelector('#help').open"), True)
    browser.ask("document.querySelector('#help button').click()")
    browser.key("]")
    check("the next trace", names()[0], "request")
    check("an orphan is at the top, and marked", browser.ask(
        "document.querySelector('#rows .tag.orphan').closest('.row').ariaLevel"), "1")
    browser.key("Home")
    check("links lead to the other trace", text("#details .events .link"), "fix")
    browser.ask("document.querySelector('#details .events .link').click()")
    check("and there they went", names()[0], "fix")


def finds(path):
    browser.open(path)
    browser.key("/")
    browser.type("check_failed")
    browser.wait("document.querySelector('#found').textContent !== ''")
    check("matches and those above them", names(), ["fix", "execute", "sandbox.run"])
    check("matches are counted", text("#found"), "2 spans")
    browser.key("Enter")
    check("Enter goes to the first match", selected(), span_id(2))
    browser.key("Escape")
    check("Escape shows all again", count("#rows .row"), 19)
    for query, found in (('"larch 4"', 1), ("pawl.candidate=2", 1), ('"503 from the model"', 1), ("is:failed", 5),
                         ("is:failed -wall_timeout", 3), (">500ms", 6), ("no such words", 0)):
        browser.open(path, "#q=" + query.replace("=", "%3D").replace(" ", "+"))
        check(f"search for {query}", browser.ask("document.querySelectorAll('#rows .row:not(.faint)').length"), found)
    no_troubles("search")


def compares_programs(path):
    browser.open(path, f"#view=attempts&trace={1:032x}&span={span_id(7)}")
    check("attempts are grouped", browser.ask("[...document.querySelectorAll('#attempts .group .label')].map((e) => e.textContent)"),
          ["fix", "ask again"])
    check("one row an attempt", count("#attempts .row.attempt"), 6)
    check("the line that went", text("#details .diff .line.del .text"), "            high = middle - 1")
    check("the line that came", text("#details .diff .line.add .text"), "            high = middle")
    check("what differs in it is marked", text("#details .diff .line.del mark"), " - 1")
    check("the rest is folded", text("#details .diff .more"), "\u22ef 7 unchanged lines")
    check("output is shown", text("#details .output"), "ash 0\n")
    browser.ask("document.querySelector('#details .diff .more').click()")
    check("and unfolds", text("#details .diff .line .text"), '"""Where a word begins in a text."""')
    browser.key("ArrowDown")
    check("the next attempt", text("#details .diff .line.add mark"), " + 1")
    browser.ask("(() => { const s = document.querySelector('.compare'); s.value = 'first'; s.dispatchEvent(new Event('change')); })()")
    check("against the first", count("#details .diff .line.add"), 2)
    browser.ask("(() => { const s = document.querySelector('.compare'); s.value = 'none'; s.dispatchEvent(new Event('change')); })()")
    check("the whole program", count("#details .code .line"), 22)
    browser.open(path, f"#trace={1:032x}&span={span_id(10)}")
    check("a retry shows its attempts", browser.ask("[...document.querySelectorAll('.attempts-of .link')].map((e) => e.textContent)"),
          ["attempt 1", "attempt 2"])
    check("and how they ended", text("#details .attempts-of .chip"), "unavailable")
    no_troubles("attempts")


def compares_candidates():
    path = page("fixing", samples.lines(samples.fixing()))
    browser.open(path, f"#view=attempts&span={span_id(6)}")
    check("the first candidate is compared with the program before", text("#details .diff .line.del .text"),
          "            high = middle - 1")
    check("what ran is there too", text("#details .part .output"), "run(test, 1)\n")
    check("changes of each attempt", browser.ask("[...document.querySelectorAll('#attempts .changes')].map((e) => e.textContent)"),
          ["", "+1 \u22121", "+1 \u22121", ""])
    no_troubles("candidates")


def leaves_content_out():
    path = page("quiet", samples.lines(samples.repair()), "--no-content")
    with open(path, encoding="utf-8") as file:
        whole = file.read()
    check("no program, output or message", [w for w in ("Where a word", "larch 4", "held-back", "503 from", "answered 503") if w in whole], [])
    browser.open(path, f"#span={span_id(7)}")
    check("it says why", "--trace-content" in text("#details"), True)
    check("and yet the outcome", text("#details .chip"), "wall_timeout")


def is_inert():
    path = page("</script><script>alert(1)</script>".replace("/", "\u2215"), samples.lines(samples.hostile()))
    browser.open(path)
    check("all rows", count("#rows .row"), 6)
    check("the first is text", names()[0], samples.ESCAPES[0])
    for number in range(1, 7):
        browser.open(path, f"#view={'attempts' if number % 2 else 'spans'}&span={span_id(number)}")
        check(f"span {number}: no element of the file's", count("img, body script:not(#data):not(:last-of-type), iframe, object"), 0)
        check(f"span {number}: no title of the file's", "broken out" in browser.ask("document.title"), False)
        no_troubles(f"span {number}")
    check("two scripts, the data and our own", count("script"), 2)
    check("names that reorder text are shown", browser.ask("document.querySelector('main').textContent.includes('\\u202e')"), False)
    browser.ask("(() => { const s = document.createElement('script'); s.textContent = 'window.broken = 1'; document.body.append(s); })()")
    check("the policy stops a script that got in after all", browser.ask("window.broken ?? null"), None)


def survives_circles():
    browser.open(page("circle", samples.lines(samples.circle())))
    check("each span once", sorted(names()), ["one", "self", "two"])
    check("marked", count("#rows .tag.orphan"), 2)
    no_troubles("circle")


def believes_no_impostor():
    browser.open(page("impostor", samples.lines(samples.impostor())))
    check("the host's span is shown", names(), ["run", "late"])
    check("the trace begins with its earliest span", ".000" in text("#facts"), True)
    check("and how it ended", "exception" in text("#rows .row"), True)
    no_troubles("impostor")


def is_quick():
    path = page("many", samples.lines(samples.many(20000)))
    begin = time.monotonic()
    browser.open(path)
    opened = time.monotonic() - begin
    check("rows in sight alone are there", count("#rows .row") < 100, True)
    check("all are counted", browser.ask("document.querySelector('#rows').getAttribute('aria-rowcount')"), "20000")
    browser.key("End")
    check("the last can be reached", selected(), span_id(20000))
    begin = time.monotonic()
    browser.key("/")
    browser.type("needle")
    browser.wait("document.querySelector('#found').textContent === '20 spans'")
    searched = time.monotonic() - begin
    print(f"20,000 spans: open in {opened:.2f} s, searched in {searched:.2f} s")
    check("quick", opened < 20 and searched < 20, True)
    no_troubles("many")


browser = Browser(chromium, os.path.join(folder, "profile"))
try:
    run = shows_the_tree()
    is_moved_by_keys(run)
    finds(run)
    compares_programs(run)
    compares_candidates()
    leaves_content_out()
    is_inert()
    survives_circles()
    believes_no_impostor()
    is_quick()
finally:
    browser.close()
sys.exit(f"{len(failures)} checks failed" if failures else 0)
