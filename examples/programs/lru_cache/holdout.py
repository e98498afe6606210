from program import LruCache

# Overwriting refreshes an entry and does not grow the cache.
cache = LruCache(3)
for key in "abc":
    cache.put(key, key.upper())
cache.put("a", "again")
assert len(cache) == 3
cache.put("d", "D")
assert cache.get("b") is None
assert cache.get("a") == "again"

# A miss changes nothing.
cache = LruCache(2)
cache.put(1, "one")
cache.put(2, "two")
assert cache.get(3) is None
cache.put(4, "four")
assert cache.get(1) is None
assert cache.get(2) == "two"

# Read order decides, one after the other.
cache = LruCache(3)
for key in (1, 2, 3):
    cache.put(key, key * 10)
assert [cache.get(key) for key in (2, 1, 3)] == [20, 10, 30]
cache.put(4, 40)
assert cache.get(2) is None
cache.put(5, 50)
assert cache.get(1) is None
assert cache.get(3) == 30

# A stored None-like value is a value.
cache = LruCache(1)
cache.put("zero", 0)
assert cache.get("zero", 7) == 0
cache.put("other", 1)
assert cache.get("zero", 7) == 7
