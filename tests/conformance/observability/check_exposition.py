"""Strict reading of a metrics exposition: see check_exposition.sh.

    check_exposition.py FILE text|openmetrics

The OpenMetrics parser of Debian's python3-prometheus-client is the judge of that format; the text format's parser
forgives much, so histograms, order, repetition and line ends are judged here.
"""
import re
import sys

try:
    from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
    from prometheus_client.parser import text_string_to_metric_families as read_text
except ImportError:
    sys.exit(77)

SUFFIXES = {
    "histogram": ("_bucket", "_sum", "_count"),
    "gaugehistogram": ("_bucket", "_gsum", "_gcount"),
    "summary": ("_sum", "_count"),
    "counter": ("_total", "_created"),
    "info": ("_info",),
}
NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL = re.compile(r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\]|\\.)*"')
SERIES = re.compile(rf"({NAME.pattern})({{(?:{LABEL.pattern}|,)*}})?")


def family_of(name, types):
    """The family a sample's name belongs to, by the types declared so far."""
    for family, kind in types.items():
        if name != family and name.startswith(family) and name[len(family):] in SUFFIXES.get(kind, ()):
            return family
    return name


def check_bytes(data, is_open):
    text = data.decode("utf-8")  # raises for what is no UTF-8
    if "\r" in text or text.startswith("\ufeff"):
        raise ValueError("there is a CR or a byte order mark in it")
    if not text.endswith("# EOF\n" if is_open else "\n"):
        raise ValueError("it does not end with '# EOF' and a line end" if is_open else "the last line has no end")
    return text


def check_order(text):
    """Each family once, its metadata once and before its samples, all its lines together."""
    types, closed, metadata, current = {}, set(), set(), None
    for number, line in enumerate(text.splitlines(), 1):
        comment = re.match(r"# (HELP|TYPE|UNIT) (\S+)(?: (.*))?", line)
        if line == "# EOF" or not line or (line.startswith("#") and not comment):
            continue
        name = comment.group(2) if comment else NAME.match(line).group()
        if comment and comment.group(1) == "TYPE":
            types[name] = comment.group(3)
        family = family_of(name, types)
        if family != current:
            closed.add(current)
            current, sampled = family, False
        if family in closed:
            raise ValueError(f"line {number}: family {family} goes on after another one")
        if not comment:
            sampled = True
            continue
        if sampled:
            raise ValueError(f"line {number}: {comment.group(1)} after samples of {family}")
        if (comment.group(1), name) in metadata:
            raise ValueError(f"line {number}: a second {comment.group(1)} for {name}")
        metadata.add((comment.group(1), name))


def labels_without(sample, *left_out):
    return tuple(sorted((k, v) for k, v in sample.labels.items() if k not in left_out))


def check_repetition(text):
    """Read from the lines, since the OpenMetrics parser drops the second of two without a word."""
    seen = set()
    for number, line in enumerate(text.splitlines(), 1):
        series = SERIES.match(line)
        if not series:
            continue
        key = (series.group(1), tuple(sorted(LABEL.findall(series.group(2) or ""))))
        if key in seen:
            raise ValueError(f"line {number}: series {series.group()} twice")
        seen.add(key)


def check_histogram(family):
    """Buckets cumulative and ascending up to +Inf, which is the count; a sum for each."""
    series = {}
    for sample in family.samples:
        series.setdefault(labels_without(sample, "le"), []).append(sample)
    for labels, samples in series.items():
        where = f"{family.name}{dict(labels)}"
        buckets = [(float(s.labels["le"]), s.value) for s in samples if s.name == family.name + "_bucket"]
        others = {s.name[len(family.name):]: s.value for s in samples if s.name != family.name + "_bucket"}
        if not buckets or buckets[-1][0] != float("inf"):
            raise ValueError(f"{where}: no last bucket +Inf")
        for (low, low_count), (high, high_count) in zip(buckets, buckets[1:]):
            if low >= high or low_count > high_count:
                raise ValueError(f"{where}: bucket {high} does not follow {low}")
        if buckets[0][0] < 0 and not others:
            continue  # OpenMetrics has neither then
        if others.get("_count") != buckets[-1][1] or "_sum" not in others:
            raise ValueError(f"{where}: count {others.get('_count')}, bucket +Inf {buckets[-1][1]}, or no sum")


def check(data, is_open):
    text = check_bytes(data, is_open)
    families = list(read_openmetrics(text) if is_open else read_text(text))
    check_order(text)
    check_repetition(text)
    for family in families:
        if family.type == "histogram":
            check_histogram(family)
        if family.type in ("unknown", "untyped") or not family.documentation:
            raise ValueError(f"family {family.name} has no type or no help")
    if not families:
        raise ValueError("it is empty")


def main():
    path, form = sys.argv[1:]
    if form not in ("text", "openmetrics"):
        raise SystemExit(f"check_exposition.py: the format is text or openmetrics, not {form}")
    with open(path, "rb") as file:
        data = file.read()
    try:
        check(data, form == "openmetrics")
    except (ValueError, KeyError) as error:
        raise SystemExit(f"{path}: {error}") from None


main()
