"""Compares the tables of docs/observability.md with the sources, and with what a run really produced.

    check_names.py DOCUMENT SOURCE-FOLDER OUTPUT-OF-NAMES-PRODUCER
"""
import pathlib
import re
import sys

document, sources, produced = sys.argv[1:]
failures = []
text = pathlib.Path(document).read_text()
FAMILIES = "pawl|gen_ai|http|url|server|network|error|exception|otel|service|telemetry|host|os|process"
NAME = rf"(?:{FAMILIES})(?:\.[a-z0-9_]+)+"


def complain(what):
    failures.append(what)


# ---- the document: tables by their headings; of each row its cells ----


def expand(name):
    """OTEL_{A_,B_}C is two names."""
    found = re.match(r"(.*)\{(.*?)\}(.*)", name)
    return [found[1] + part + found[3] for part in found[2].split(",")] if found else [name]


def names_in(cell):
    return [name for quoted in re.findall(r"`([^`]+)`", cell) for name in expand(quoted)]


def table(heading):
    part = re.search(rf"^### {heading}\n(.*?)(?=^##|\Z)", text, re.M | re.S)
    if not part:
        sys.exit(f"check_names.py: {document} has no heading '### {heading}'")
    rows = [line.strip().strip("|").split("|") for line in part[1].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def by_name(heading):
    rows = {}
    for row in table(heading):
        for name in names_in(row[0]):
            if name in rows:
                complain(f"'{heading}' has {name} twice")
            rows[name] = row
    return rows


spans = table("Spans")
attributes = by_name("Attributes of spans")
events = by_name("Events")
metrics = by_name("Metrics")
seed = by_name("Names of the seed project")
labels = by_name("Attributes of metrics")
buckets = by_name("Buckets")
resource = by_name("Resource")
variables = by_name("Variables")
event_keys = {key for row in events.values() for key in names_in(row[1])}
seed_labels = {key for row in seed.values() for key in names_in(row[2])}
documented = {*attributes, *events, *event_keys, *metrics, *seed, *seed_labels, *labels, *resource}

# ---- the sources ----

folder = pathlib.Path(sources)
files = [path for layer in ("core", "primitives", "observability", "integrations") for path in folder.glob(f"{layer}/src/**/*.c")]
if not files:
    sys.exit(f"check_names.py: {sources} has no sources")
CALLS = (
    r'pawl_attribute_(?:string|int|double|bool)\("([^"]+)"',
    r'_set_(?:string|int|double|bool)\([^,()]+,\s*"([^"]+)"',
    r'_add_event\([^,()]+,\s*"([^"]+)"',
    r'\.attribute = "([^"]+)"',
)
in_code, asked_for = set(), set()
for path in files:
    code = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
    found = {name for name in re.findall(rf'"({NAME})"', code) if not name.endswith((".h", ".js", ".py", ".sh"))}
    for call in CALLS:
        found.update(name for name in re.findall(call, code) if "local/helper" not in str(path))
    for name in sorted(found - documented):
        complain(f"{path.relative_to(folder)} has {name}, which {document} has not")
    in_code |= found
    asked_for.update(re.findall(r'getenv\("(OTEL_[A-Z_]+|NO_COLOR|TRACE[A-Z]+|BAGGAGE)"\)', code))

# ---- the run ----

seen_metrics, seen_types, exposed = set(), set(), set()
span_rows = {(name or "-") for row in spans for name in names_in(row[0]) or ["-"]}
types = {name for row in spans for name in names_in(row[2])}
kinds = {name: row[1] for row in spans for name in names_in(row[2]) + names_in(row[0])}


def see_span(name, kind, type_name):
    what = name if type_name == "-" else type_name
    seen_types.add(type_name)
    if name not in span_rows or what not in kinds:
        complain(f"a span '{name}' of type '{type_name}' was seen, which the table 'Spans' has not")
    elif kinds[what] != kind:
        complain(f"the span '{what}' is '{kind}', the table says '{kinds[what]}'")


def see_attribute(key, type_name):
    key = re.sub(r"^pawl\.tag\..*", "pawl.tag.*", key)
    if key not in attributes:
        complain(f"an attribute {key} was seen on a span, which the table has not")
    elif attributes[key][1] != type_name:
        complain(f"{key} is a {type_name}, the table says '{attributes[key][1]}'")
    in_code.add(key)


def see_event(name, key):
    if name not in events or (key != "-" and key not in names_in(events[name][1])):
        complain(f"an event {name} with {key} was seen, which the table has not")
    in_code.update({name, key})


def see_metric(name, kind, unit, bounds, key):
    row = metrics.get(name) or seed.get(name)
    if not row:
        return complain(f"a metric {name} was seen, which no table has")
    keys = names_in(row[4] if name in metrics else row[2])
    if kind != (row[2] if name in metrics else row[1]):
        complain(f"{name} is a {kind}, the table says otherwise")
    if name in metrics and unit != row[3].strip("`"):
        complain(f"{name} is in {unit}, the table says {row[3]}")
    if key != "-" and key not in keys:
        complain(f"{name} has the attribute {key}, which its row has not")
    said = " ".join(buckets[name][1].split()) if name in buckets else "-"
    if said != bounds:
        complain(f"{name} has the buckets {bounds}, the table says {said}")
    seen_metrics.add(name)
    in_code.update({name, key})


def see_exposition(line):
    found = re.match(r"# TYPE (\S+)", line)
    if found:
        exposed.add(found[1])


for line in pathlib.Path(produced).read_text().splitlines():
    kind, *words = line.split("\t")
    if kind == "span":
        see_span(*words)
    elif kind == "attribute":
        see_attribute(*words)
    elif kind == "event":
        see_event(*words)
    elif kind == "metric":
        see_metric(*words)
    elif kind == "exposition":
        see_exposition(words[0])
    elif kind == "variable":
        asked_for.add(words[0])
    elif kind == "resource":
        in_code.add(words[0])
        if words[0] not in resource:
            complain(f"the resource has {words[0]}, which the table has not")

for name in exposed:
    if name not in {"target_info", *seed} and not any(name in names_in(row[1]) for row in metrics.values()):
        complain(f"Prometheus is given {name}, which no table has")
for name, row in metrics.items():
    if name in seen_metrics and not set(names_in(row[1])) <= exposed:
        complain(f"{name} is not {row[1]} in Prometheus")

# ---- the document has nothing that is not there ----

for name in sorted(documented - in_code - {"-"}):
    complain(f"{document} has {name}, which the sources have not")
for name in sorted(asked_for - set(variables)):
    complain(f"the variable {name} is read, which {document} has not")
for name in sorted(set(variables) - asked_for):
    complain(f"{document} has the variable {name}, which nobody reads")
for name in sorted(types - seen_types):
    complain(f"no node of type {name} was run: teach names_producer.c")
for name in sorted(set(re.findall(rf"`({NAME})`", text)) - documented - in_code):
    complain(f"{document} speaks of {name}, which its tables have not")

for failure in dict.fromkeys(failures):
    print(failure, file=sys.stderr)
if not failures:
    print(f"{len(documented)} names and {len(variables)} variables are as the document says")
sys.exit(bool(failures))
