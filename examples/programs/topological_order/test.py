from program import build_order


def order_or_none(graph):
    try:
        return build_order(graph)
    except ValueError:
        return None


assert order_or_none({"b": [], "a": []}) == ["a", "b"]
assert order_or_none({"app": ["lib"], "lib": ["base"]}) == ["base", "lib", "app"]
assert order_or_none({"d": ["b", "c"], "b": ["a"], "c": ["a"]}) == ["a", "b", "c", "d"]
assert order_or_none({"a": ["b"], "b": ["a"]}) is None
