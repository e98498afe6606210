from program import LruCache


def test_drops_the_oldest():
    cache = LruCache(2)
    cache.put("a", 1)
    cache.put("b", 2)
    cache.put("c", 3)
    assert cache.get("a") is None
    assert cache.get("b") == 2
    assert len(cache) == 2


def test_reading_counts_as_use():
    cache = LruCache(2)
    cache.put("a", 1)
    cache.put("b", 2)
    assert cache.get("a") == 1
    cache.put("c", 3)
    assert cache.get("a") == 1
    assert cache.get("b", "gone") == "gone"


test_drops_the_oldest()
test_reading_counts_as_use()
