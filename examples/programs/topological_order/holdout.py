from program import build_order


def refused(graph):
    try:
        build_order(graph)
    except ValueError:
        return True
    return False


assert build_order({}) == []
assert build_order({"only": []}) == ["only"]
assert build_order({"x": ["w"]}) == ["w", "x"]
assert build_order({"test": ["build"], "ship": ["test", "docs"], "build": []}) == ["build", "docs", "test", "ship"]
assert refused({"a": ["a"]})
assert refused({"a": ["b"], "b": ["c"], "c": ["a"], "d": []})

graph = {n: [m for m in range(1, n) if n % m == 0] for n in range(1, 40)}
order = build_order(graph)
assert sorted(order) == sorted(graph)
place = {task: index for index, task in enumerate(order)}
for task, needed in graph.items():
    for first in needed:
        assert place[first] < place[task], (first, task)
